import { ConfigurationError } from '../errors.ts'

/** Gives the region back. @throws ConfigurationError for what is not one: it would become part of a host name. */
export function assertRegion(region: string): string {
  if (/^[a-z]{2,}(-[a-z]+)+-\d+$/.test(region)) return region
  throw new ConfigurationError(`Not an AWS region: ${JSON.stringify(region)}`, {
    hint: 'A region looks like us-east-1.',
  })
}
