import { ConfigurationError } from '../errors.ts'

// A label of a host name has at most 63 characters. No region comes near.
const pattern = /^[a-z]{2,}(-[a-z]+)+-\d{1,3}$/

/** Whether this has the form of an AWS region: lower-case words and a number, and no dot, so that it is one label. */
export function isRegion(region: unknown): region is string {
  return typeof region === 'string' && region.length < 64 && pattern.test(region)
}

/**
 * Gives the region back. To be called wherever a host name is made of a region, no matter where the region came from.
 *
 * @throws ConfigurationError for what is not one
 */
export function assertRegion(region: string): string {
  if (isRegion(region)) return region
  const given: unknown = region
  throw new ConfigurationError(
    `Not an AWS region: ${typeof given === 'string' ? JSON.stringify(given.slice(0, 64)) : typeof given}`,
    { hint: 'Give a region such as us-east-1.' },
  )
}
