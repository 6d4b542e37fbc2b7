import { ConfigurationError, enrich, isBedrockError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { parseEndpointUrl } from '../core/internal/endpoint-url.ts'
import { env, envFlag } from '../core/internal/env.ts'
import { unsignedFetch } from '../core/internal/http.ts'
import { isJsonObject } from '../core/internal/json.ts'
import { localMetadata } from '../core/internal/local-metadata.ts'
import { partitionOf } from '../core/internal/partitions.ts'
import { secretsOf } from '../core/internal/redact.ts'
import { assertRegion } from '../core/internal/region.ts'
import { guardResponse, readJson } from '../core/internal/service-error.ts'
import { signRequest } from '../core/sigv4/sign-request.ts'
import type {
  AwsCredentialIdentity,
  BedrockFetch,
  Environment,
  JsonObject,
  Middleware,
  MiddlewareContext,
} from '../core/types.ts'
import type { Quota } from './options.ts'
import { dailyQuotaCode, quotaMeaning } from './quota-names.ts'

/** The used part of a client. Every client of this package fits. */
export interface QuotaClient {
  readonly fetch: BedrockFetch
  withOptions(options: { readonly middleware: readonly Middleware[] }): {
    invoke(request: { readonly model: string; readonly body: JsonObject }): Promise<unknown>
  }
}

/** Options of {@link readQuotas}. */
export interface ReadQuotasOptions {
  /** The Region whose quotas to read. @default the client's */
  readonly region?: string | undefined
  /** The base URL of Service Quotas. @default AWS_ENDPOINT_URL_SERVICE_QUOTAS, else AWS_ENDPOINT_URL, else AWS's own */
  readonly endpoint?: string | URL | undefined
  /** The variables that may name an endpoint. @default the process's */
  readonly env?: Environment | undefined
  readonly signal?: AbortSignal | undefined
}

/** The quotas of an account in a Region. */
export interface AccountQuotas {
  readonly region: string
  /** Those of Claude models, for `limits({ quotas })`. */
  readonly quotas: readonly Quota[]
  /**
   * Tokens per day, for all models together. AWS weighs them by price, so `limits` does not count them, but reacts when
   * Bedrock reports that the daily tokens are used up.
   */
  readonly tokensPerDay: number | undefined
}

/**
 * Reads the account's actual quotas from Service Quotas, with the client's own credentials and network. Needs
 * `servicequotas:ListServiceQuotas`, which `iamPolicy` grants with the feature `'quotas'`, and AWS keys, because a
 * Bedrock API key works only for Bedrock.
 *
 * @example
 * ```ts
 * const plain = createBedrockClient({ region: 'us-east-1' })
 * const { quotas } = await readQuotas(plain)
 * const bedrock = plain.withOptions({ middleware: [limits({ quotas })] })
 * ```
 * @throws ServiceError if Service Quotas answers with an error; ConfigurationError without AWS keys
 * @see https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ListServiceQuotas.html
 */
export async function readQuotas(bedrock: QuotaClient, options: ReadQuotasOptions = {}): Promise<AccountQuotas> {
  assertOptions(options, '', 'region endpoint env signal')
  const context = await contextOf(bedrock)
  const region = assertRegion(options.region ?? context.region)
  const identity = await context.identity()
  if (!identity || 'token' in identity) {
    throw new ConfigurationError('Service Quotas needs AWS keys, which this client does not have', {
      hint: 'A Bedrock API key works only for Bedrock. Use AWS keys, or write the quotas by hand.',
    })
  }
  const url = `${endpointOf(region, options)}/`
  const send = unsignedFetch(bedrock.fetch)
  const rows: JsonObject[] = []
  let next: string | undefined
  do {
    const page = await listQuotas(url, next, { region, identity, send, context, signal: options.signal })
    if (Array.isArray(page.Quotas)) rows.push(...page.Quotas.filter(isJsonObject))
    // A repeated token would loop forever.
    next = typeof page.NextToken === 'string' && page.NextToken !== next ? page.NextToken : undefined
  } while (next !== undefined)
  return { region, ...quotasOf(rows, region) }
}

interface ListOptions {
  readonly region: string
  readonly identity: AwsCredentialIdentity
  readonly send: typeof fetch
  readonly context: MiddlewareContext
  readonly signal: AbortSignal | undefined
}

async function listQuotas(
  url: string,
  NextToken: string | undefined,
  { region, identity, send, context, signal }: ListOptions,
): Promise<JsonObject> {
  const request = {
    method: 'POST',
    url,
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'ServiceQuotasV20190624.ListServiceQuotas',
    },
    body: JSON.stringify({ ServiceCode: 'bedrock', MaxResults: 100, ...(NextToken && { NextToken }) }),
  }
  const date = new Date(context.clock.now())
  const signed = await signRequest(request, { identity, region, service: 'servicequotas', date })
  const { host: _, ...headers } = signed.headers
  const { method, body } = request
  const response = await send(url, { method, headers, body, ...(signal && { signal }) })
  try {
    return await readJson(guardResponse(response, secretsOf(identity)))
  } catch (error) {
    if (isBedrockError(error, 'service') && /^AccessDenied/.test(error.type))
      enrich(error, { hint: 'Allow servicequotas:ListServiceQuotas for the identity that reads quotas.' })
    throw error
  }
}

function quotasOf(rows: readonly JsonObject[], region: string): { quotas: Quota[]; tokensPerDay: number | undefined } {
  const quotas = new Map<string, Quota>()
  let tokensPerDay: number | undefined
  for (const { QuotaCode: code, QuotaName: name, Value: value } of rows) {
    if (typeof code !== 'string' || typeof name !== 'string' || typeof value !== 'number' || !(value >= 0)) continue
    if (code === dailyQuotaCode) tokensPerDay = value
    const meaning = quotaMeaning(code, name)
    if (!meaning) continue
    const { model, bucket, unit } = meaning
    const key = `${bucket}/${model}`
    const field = unit === 'tokens' ? 'tokensPerMinute' : 'requestsPerMinute'
    const known = quotas.get(key) ?? { model, bucket, region }
    // If a quota is listed under two names, the smaller value is the safe one.
    quotas.set(key, { ...known, [field]: Math.min(value, known[field] ?? value) })
  }
  return { quotas: [...quotas.values()], tokensPerDay }
}

/** Returns the context of the client's middleware, without sending anything. */
async function contextOf(bedrock: QuotaClient): Promise<MiddlewareContext> {
  let found: MiddlewareContext | undefined
  const look: Middleware = async (_request, _next, context) => {
    found = context
    return { type: 'json', body: {}, metadata: localMetadata(context.model, {}, 0) }
  }
  const model = { id: 'anthropic.claude-sonnet-4-6', source: 'explicit' }
  await bedrock.withOptions({ middleware: [look] }).invoke({ model: model as never, body: {} })
  return found as unknown as MiddlewareContext
}

// In the order of the AWS SDKs: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
function endpointOf(region: string, { endpoint: option, env: from }: ReadQuotasOptions): string {
  const own = 'AWS_ENDPOINT_URL_SERVICE_QUOTAS'
  const variable = env(own, from) ? own : 'AWS_ENDPOINT_URL'
  const ambient = envFlag('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', from) ? undefined : env(variable, from)
  const url = parseEndpointUrl(option ?? ambient, option === undefined ? variable : 'endpoint')
  if (!url) return `https://servicequotas.${region}.${partitionOf(region).dnsSuffix}`
  return url.origin + url.pathname.replace(/(?<!\/)\/+$/, '')
}
