import { ConfigurationError } from '../errors.ts'
import { editDistance } from './edit-distance.ts'

// Option names of other SDKs, and the equivalents here.
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
 * Rejects anything but an object of options, and any unknown option, because a misspelled one would have no effect.
 *
 * @param name - the path of the options in messages, such as `retry`; '' for those of the client
 * @param known - the known names, separated by spaces
 * @param isOpen - whether other modules may add names: then only names similar to a known one are rejected
 * @throws ConfigurationError with the most similar name.
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
    // Suggests an equivalent only if it is an option of this module.
    const fits = brought && (isOpen || names.includes(brought.split(':')[0] as string))
    const meant = fits ? brought : nearest(key, names)
    if (isOpen && !meant) continue
    throw new ConfigurationError(`Unknown option ${JSON.stringify(name ? `${name}.${key}` : key)}`, {
      hint: meant ? `Did you mean ${meant}?` : `Known options: ${names.join(', ')}.`,
    })
  }
}

/** Describes the type of a value, without its content. */
export function describeType(value: unknown): string {
  return value === null
    ? 'null'
    : Array.isArray(value)
      ? 'a list'
      : value === undefined
        ? 'undefined'
        : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`
}

/** Returns the name that is most similar to `text`, if any is similar enough. */
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
