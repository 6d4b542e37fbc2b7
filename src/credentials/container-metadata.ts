import { ConfigurationError, CredentialsError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { cached } from '../core/internal/cached-provider.ts'
import { type Environment, env as variable } from '../core/internal/env.ts'
import { parseJsonObject } from '../core/internal/json.ts'
import { redact, redactError } from '../core/internal/redact.ts'
import { systemClock } from '../core/internal/signal.ts'
import type { Clock, CredentialProvider } from '../core/types.ts'
import { assertNotExpired, assertTimeout, type CredentialResponse, requestCredentials } from './request-credentials.ts'

/** Options of {@link fromContainerMetadata}. */
export interface ContainerMetadataOptions {
  /** @default the process's environment */
  readonly env?: Environment | undefined
  /**
   * Reads the file that AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names: use `readTokenFile` of
   * `outcrop/credentials/node`.
   */
  readonly readToken?: ((path: string) => Promise<string>) | undefined
  /** How long to wait for a response, in milliseconds. @default 1000 */
  readonly timeout?: number | undefined
  /** Time, for tests. */
  readonly clock?: Clock | undefined
}

// Only these may receive the authorization token over http: ECS, EKS Pod Identity and loopback. Other hosts need TLS.
const trustedHosts = /^(169\.254\.170\.(2|23)|\[fd00:ec2::23\]|localhost|127(\.\d+){3}|\[::1\])$/

/**
 * Provides the keys of an ECS task or an EKS pod (Pod Identity), from the URL in
 * `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
 *
 * @example
 * ```ts
 * const credentials = fromContainerMetadata({ readToken: readTokenFile })
 * ```
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
export function fromContainerMetadata(options: ContainerMetadataOptions = {}): CredentialProvider {
  assertOptions(options, '', 'env readToken timeout clock')
  const { env, readToken, timeout = 1000, clock = systemClock } = options
  assertTimeout(timeout)
  return cached(
    async ({ fetch, signal } = {}) => {
      const url = addressOf(env)
      const authorization = await authorizationOf(env, readToken)
      const secrets = authorization ? [authorization] : []
      const service = `the container's credentials at ${url.host}`
      let response: CredentialResponse
      try {
        const headers = { accept: 'application/json', ...(authorization && { authorization }) }
        response = await requestCredentials(url.href, { headers }, { fetch, signal, clock, timeout })
      } catch (error) {
        signal?.throwIfAborted()
        const cause = redactError(error, secrets)
        throw new CredentialsError(`${cause.message} (${service})`, { cause })
      }
      const answer = parseJsonObject(response.text)
      const { AccessKeyId, SecretAccessKey, Token, Expiration, AccountId } = answer ?? {}
      if (!response.ok || typeof AccessKeyId !== 'string' || typeof SecretAccessKey !== 'string') {
        const said = String(answer?.message ?? answer?.Message ?? `status ${response.status}`)
        throw new CredentialsError(`${redact(said, secrets).slice(0, 1_024)} (${service})`)
      }
      const parsed = new Date(String(Expiration))
      const expiration = Number.isNaN(parsed.getTime()) ? undefined : parsed
      assertNotExpired(expiration, response.now, url.host)
      return {
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        ...(typeof Token === 'string' && { sessionToken: Token }),
        ...(expiration && { expiration }),
        ...(typeof AccountId === 'string' && { accountId: AccountId }),
        source: { name: 'container', detail: url.host },
      }
    },
    { clock },
  )
}

function addressOf(env: Environment | undefined): URL {
  const relative = variable('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', env)
  const full = variable('AWS_CONTAINER_CREDENTIALS_FULL_URI', env)
  if (!relative && !full) {
    throw new CredentialsError(
      'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are not set',
      {
        tryNextLink: true,
      },
    )
  }
  const address = relative ? `http://169.254.170.2${relative}` : (full as string)
  if (!URL.canParse(address)) throw new ConfigurationError("The address of the container's credentials is not a URL")
  const url = new URL(address)
  if (url.username || url.password)
    throw new ConfigurationError("The address of the container's credentials contains a user")
  if (url.protocol !== 'https:' && !trustedHosts.test(url.hostname)) {
    throw new ConfigurationError(`${url.host} is not a host that serves container credentials`, {
      hint: 'Use https, loopback, or the addresses of ECS and EKS.',
    })
  }
  return url
}

async function authorizationOf(
  env: Environment | undefined,
  readToken: ContainerMetadataOptions['readToken'],
): Promise<string | undefined> {
  const file = variable('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', env)
  if (file && !readToken) {
    throw new ConfigurationError('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE is set, but nothing reads it', {
      hint: 'Pass readToken: on Node, readTokenFile from outcrop/credentials/node.',
    })
  }
  const token = file ? (await readToken?.(file))?.trim() : variable('AWS_CONTAINER_AUTHORIZATION_TOKEN', env)
  // Checked here, because `fetch` would quote it in its error.
  if (token && /[^\x20-\x7e]/.test(token))
    throw new ConfigurationError(
      "The container's authorization token has characters that are not allowed in a header",
      {
        hint: 'Check AWS_CONTAINER_AUTHORIZATION_TOKEN, or the file. The token must be one line of ASCII.',
      },
    )
  return token
}
