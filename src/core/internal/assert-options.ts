import { ConfigurationError } from '../errors.ts'
import { editDistance } from './edit-distance.ts'

// What the options of other SDKs are called, and what says the same here.
const foreign: Readonly<Record<string, string>> = {
  apiKey: 'credentials: { token }',
  awsRegion: 'region',
  awsAccessKey: 'credentials',
  awsSecretKey: 'credentials',
  awsSessionToken: 'credentials',
  accessKeyId: 'credentials',
  secretAccessKey: 'credentials',
  baseURL: 'endpoint',
  maxRetries: 'retry: { attempts }',
  defaultHeaders: 'headers',
}

/**
 * Refuses what is not an object of options, and any option of another name: a misspelt one would go unheard.
 *
 * @param name - how the options are called where they are wrong, such as `retry`; '' for those of the client
 * @param known - the names that there are, separated by spaces
 * @param isOpen - whether others may add names of their own: then only what comes near a known one is refused
 * @throws ConfigurationError with the name that comes nearest.
 */
export function assertOptions(
  options: unknown,
  name: string,
  known: string,
  isOpen = false,
): asserts options is object {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ConfigurationError(`${name || 'The options'} must be an object, not ${describeType(options)}`, {
      hint: `Known options: ${known.replaceAll(' ', ', ')}.`,
    })
  }
  for (const key in options) {
    if (` ${known} `.includes(` ${key} `)) continue
    const names = known.split(' ')
    const brought = Object.hasOwn(foreign, key) && !name ? (foreign[key] as string) : ''
    // A module that has no such option is not where it is meant to go.
    const fits = brought && (isOpen || names.includes(brought.split(':')[0] as string))
    const meant = fits ? brought : nearest(key, names)
    if (isOpen && !meant) continue
    throw new ConfigurationError(`Unknown option ${JSON.stringify(name ? `${name}.${key}` : key)}`, {
      hint: meant ? `Did you mean ${meant}?` : `Known options: ${names.join(', ')}.`,
    })
  }
}

/** What kind of value something is, without its content. */
export function describeType(value: unknown): string {
  return value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list'
      : value === undefined
        ? 'undefined'
        : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`
}

/** The name that differs least from `text`, if any comes near. */
export function nearest(text: string, names: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.min(4, text.length / 2)
  for (const name of text.length < 64 ? names : []) {
    const distance = editDistance(text.toLowerCase(), name.toLowerCase())
    if (distance < least) {
      best = name
      least = distance
    }
  }
  return best
}
