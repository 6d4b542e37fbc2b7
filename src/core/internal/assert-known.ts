import { ConfigurationError } from '../errors.ts'

/**
 * Refuses a name that is not known. Unlike `assertOptions` it suggests none: the protocol pieces are small.
 *
 * @param known - the names, separated by spaces
 */
export function assertKnown(given: object, known: string): void {
  for (const key in given) {
    if (` ${known} `.includes(` ${key} `)) continue
    throw new ConfigurationError(`Unknown option ${JSON.stringify(key)}`, {
      hint: `Known options: ${known.replaceAll(' ', ', ')}.`,
    })
  }
}
