import { ConfigurationError } from '../errors.ts'

// A label of a host name has at most 63 characters. No Region comes close.
const pattern = /^[a-z]{2,}(-[a-z]+)+-\d{1,3}$/

/**
 * Tests whether text has the form of an AWS Region: lower-case words and a number, without a dot, so that it is one
 * label.
 */
export function isRegion(region: unknown): region is string {
  return typeof region === 'string' && region.length < 64 && pattern.test(region)
}

/**
 * Returns a valid Region. Call it wherever a Region becomes part of a host name, whatever its source.
 *
 * @throws ConfigurationError for an invalid Region
 */
export function assertRegion(region: string): string {
  if (isRegion(region)) return region
  const given: unknown = region
  throw new ConfigurationError(
    `Not an AWS Region: ${typeof given === 'string' ? JSON.stringify(given.slice(0, 64)) : typeof given}`,
    { hint: 'Use a Region such as us-east-1.' },
  )
}
