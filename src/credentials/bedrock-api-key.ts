import { ConfigurationError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { askForIdentity } from '../core/internal/identity.ts'
import { assertRegion } from '../core/internal/region.ts'
import { presignUrl } from '../core/sigv4/presign-url.ts'
import type { AwsCredentialIdentity, CredentialProvider } from '../core/types.ts'

const prefix = 'bedrock-api-key-'
const suffix = '&Version=1'

/** What a short-term key is made of. */
export interface BedrockApiKeyOptions {
  /** The AWS keys that the new key stands for, or a provider of them. */
  readonly credentials: AwsCredentialIdentity | CredentialProvider
  /** The one region that the key works in. */
  readonly region: string
  /**
   * How long the key works, in seconds, 1 to 43200; never longer than the keys that it is made of.
   *
   * @default 43_200 (12 hours)
   */
  readonly expiresIn?: number | undefined
  /** @default now */
  readonly date?: Date | undefined
}

/**
 * Mints a short-term Bedrock API key from AWS keys, without a call: a signed URL in another form. Hand it to a browser
 * or a sandbox in place of the keys themselves: it calls Bedrock in one region, until it expires, and nothing else.
 *
 * @example
 * ```ts
 * const token = await createBedrockApiKey({ credentials, region: 'us-east-1', expiresIn: 900 })
 * ```
 * @throws ConfigurationError for an expiry out of range, and for a Bedrock API key in place of AWS keys.
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-how.html
 */
export async function createBedrockApiKey(options: BedrockApiKeyOptions): Promise<string> {
  assertOptions(options, '', 'credentials region expiresIn date')
  const { credentials, region, expiresIn = 43_200, date = new Date() } = options
  if (!Number.isInteger(expiresIn) || expiresIn < 1 || expiresIn > 43_200)
    throw new ConfigurationError('expiresIn must be a whole number of seconds, 1 to 43200')
  const identity =
    typeof credentials === 'function'
      ? await askForIdentity(credentials, { region: assertRegion(region) })
      : credentials
  const url = await presignUrl(
    { method: 'POST', url: 'https://bedrock.amazonaws.com/?Action=CallWithBearerToken', expiresIn },
    { identity, region: assertRegion(region), service: 'bedrock', date },
  )
  return prefix + btoa(url.slice('https://'.length) + suffix)
}

/** What a Bedrock API key tells of itself. */
export interface BedrockApiKeyDescription {
  /** A short-term key carries its region and expiry in it; a long-term one tells nothing. */
  readonly kind: 'short-term' | 'long-term'
  /** The one region that a short-term key works in. */
  readonly region?: string
  /** When a short-term key expires, unless the keys that it was made of expire before. */
  readonly expiration?: Date
  /** The ID of the access key that made it, masked. */
  readonly accessKeyId?: string
}

/**
 * Reads what a Bedrock API key tells of itself, locally. Never throws: what cannot be read is left out.
 *
 * @example
 * ```ts
 * describeBedrockApiKey(token) // { kind: 'short-term', region: 'us-east-1', expiration: Date, accessKeyId: 'ASIA…MPLE' }
 * ```
 */
export function describeBedrockApiKey(token: string): BedrockApiKeyDescription {
  const kind = token.startsWith(prefix) ? 'short-term' : 'long-term'
  let url: URL
  try {
    url = new URL(`https://${atob(token.slice(prefix.length))}`)
  } catch {
    return { kind }
  }
  const [id, , region] = url.searchParams.get('X-Amz-Credential')?.split('/') ?? []
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(url.searchParams.get('X-Amz-Date') ?? '') ?? []
  const signed = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  const expiration = new Date(signed + Number(url.searchParams.get('X-Amz-Expires') ?? Number.NaN) * 1000)
  return {
    kind,
    ...(region && { region }),
    ...(!Number.isNaN(expiration.getTime()) && { expiration }),
    ...(id && { accessKeyId: maskKeyId(id) }),
  }
}

/** An access key ID, short enough to tell two apart and not to be one. */
export function maskKeyId(id: string): string {
  return id.length > 8 ? `${id.slice(0, 4)}…${id.slice(-4)}` : '…'
}
