import { ConfigurationError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { askForIdentity } from '../core/internal/identity.ts'
import { assertRegion } from '../core/internal/region.ts'
import { presignUrl } from '../core/sigv4/presign-url.ts'
import type { AwsCredentialIdentity, CredentialProvider } from '../core/types.ts'

const prefix = 'bedrock-api-key-'
const suffix = '&Version=1'

/** Options of {@link createBedrockApiKey}. */
export interface BedrockApiKeyOptions {
  /** The AWS keys to create the API key from, or a provider of them. */
  readonly credentials: AwsCredentialIdentity | CredentialProvider
  /** The only Region in which the key works. */
  readonly region: string
  /**
   * How long the key is valid, in seconds, 1 to 43200, but never longer than the AWS keys.
   *
   * @default 43_200 (12 hours)
   */
  readonly expiresIn?: number | undefined
  /** @default now */
  readonly date?: Date | undefined
}

/**
 * Creates a short-term Bedrock API key from AWS keys, locally: the key is an encoded presigned URL. Give it to a
 * browser or a sandbox instead of the AWS keys: it can only call Bedrock, in one Region, until it expires.
 *
 * @example
 * ```ts
 * const token = await createBedrockApiKey({ credentials, region: 'us-east-1', expiresIn: 900 })
 * ```
 * @throws ConfigurationError if the expiration is out of range, or if `credentials` is a Bedrock API key.
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

/** The information in a Bedrock API key. */
export interface BedrockApiKeyDescription {
  /** A short-term key contains its Region and expiration; a long-term key contains neither. */
  readonly kind: 'short-term' | 'long-term'
  /** The only Region in which a short-term key works. */
  readonly region?: string
  /** When a short-term key expires, unless the AWS keys behind it expire earlier. */
  readonly expiration?: Date
  /** The access key ID that it was created with, masked. */
  readonly accessKeyId?: string
}

/**
 * Reads the information in a Bedrock API key, locally. Never throws; unreadable parts are left out.
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

/** Masks an access key ID, so that two can still be told apart. */
export function maskKeyId(id: string): string {
  return id.length > 8 ? `${id.slice(0, 4)}…${id.slice(-4)}` : '…'
}
