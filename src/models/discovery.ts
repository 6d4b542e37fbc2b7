import { isBedrockError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { isJsonObject } from '../core/internal/json.ts'
import { readJson } from '../core/internal/service-error.ts'
import { raceSignal, systemClock } from '../core/internal/signal.ts'
import { singleFlight } from '../core/internal/single-flight.ts'
import type {
  BedrockFetch,
  BedrockFetchInit,
  Clock,
  JsonObject,
  ModelResolutionContext,
  Timeouts,
} from '../core/types.ts'
import { isFullModelId, parseModelId } from '../core/model-id.ts'

/** An inference profile: one of AWS's, or one that was created in the account. */
export interface InferenceProfile {
  /** The ID of AWS's profile, or the ARN of the account's own. */
  readonly id: string
  readonly arn?: string | undefined
  readonly name?: string | undefined
  readonly type: 'SYSTEM_DEFINED' | 'APPLICATION'
  /** `ACTIVE`, as the account reports it; left out if the account was not asked. */
  readonly status?: string | undefined
  /** The model behind it. */
  readonly base?: string | undefined
  /** The geography, for one of AWS's profiles. */
  readonly geo?: string | undefined
  /** The Regions where calls may run; left out if that is anywhere, or unknown. */
  readonly regions?: readonly string[] | undefined
}

/** Options of {@link discoverInferenceProfiles}. */
export interface DiscoverOptions {
  /** @default the client's Region */
  readonly region?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Timeouts in milliseconds, for each page. */
  readonly timeout?: Timeouts | undefined
}

/**
 * Lists the inference profiles of an account in a Region, AWS's and its own (ListInferenceProfiles, all pages).
 * Needs `bedrock:ListInferenceProfiles`.
 *
 * @example
 * ```ts
 * const profiles = await discoverInferenceProfiles(bedrock.fetch)
 * ```
 * @throws ServiceError if Bedrock answers with an error.
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListInferenceProfiles.html
 */
export async function discoverInferenceProfiles(
  fetch: BedrockFetch,
  options: DiscoverOptions = {},
): Promise<InferenceProfile[]> {
  assertOptions(options, '', 'region signal timeout')
  const lists = await Promise.all([
    listProfiles(fetch, 'SYSTEM_DEFINED', options),
    listProfiles(fetch, 'APPLICATION', options),
  ])
  return lists.flat()
}

async function listProfiles(
  fetch: BedrockFetch,
  type: InferenceProfile['type'],
  options: DiscoverOptions,
): Promise<InferenceProfile[]> {
  const profiles: InferenceProfile[] = []
  const seen = new Set<string>()
  for (let token = ''; ; ) {
    const query = new URLSearchParams({ type, maxResults: '1000', ...(token && { nextToken: token }) })
    const { inferenceProfileSummaries, nextToken } = await readJson(
      await fetch(`/inference-profiles?${query}`, options),
    )
    for (const item of Array.isArray(inferenceProfileSummaries) ? inferenceProfileSummaries : []) {
      const profile = isJsonObject(item) && profileOf(item)
      // Leaves out IDs that cannot be called, which a server other than Bedrock may return.
      if (profile && isFullModelId(profile.id)) profiles.push(profile)
    }
    // A gateway that answers every page with the first one would keep this loop running forever.
    if (typeof nextToken !== 'string' || !nextToken || seen.has(nextToken)) return profiles
    seen.add(nextToken)
    token = nextToken
  }
}

function profileOf(item: JsonObject): InferenceProfile {
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
  const type = item.type === 'APPLICATION' ? 'APPLICATION' : 'SYSTEM_DEFINED'
  const arn = text(item.inferenceProfileArn)
  const id = (type === 'APPLICATION' ? arn : undefined) ?? text(item.inferenceProfileId) ?? arn ?? ''
  const models = (Array.isArray(item.models) ? item.models : []).map((model) =>
    parseModelId((isJsonObject(model) && text(model.modelArn)) || ''),
  )
  const regions = models.flatMap(({ region }) => region ?? [])
  return {
    id,
    arn,
    name: text(item.inferenceProfileName),
    type,
    status: text(item.status),
    base: models[0]?.base ?? parseModelId(id).base,
    geo: parseModelId(id).geo,
    // A global profile lists its model's ARN without a Region, which means "anywhere".
    regions: models.length > 0 && regions.length === models.length ? [...new Set(regions)] : undefined,
  }
}

const listLifetime = 3_600_000
const profileLifetime = 86_400_000
// If the control plane cannot be reached, as in a network with an endpoint for the runtime only, a call gives up soon,
// and the next calls do not wait again.
const patience = 10_000
const unreachableLifetime = 300_000
// ARNs may come from outside, so the cache is limited.
const maxAnswers = 500

/** Looks up an account's profiles, and caches them: lists for an hour, single profiles for a day. */
export interface Discovery {
  /** Returns the profiles of a Region, or the error, which is logged once. */
  list(region: string, context: ModelResolutionContext): Promise<readonly InferenceProfile[] | Error>
  /** Returns the profile behind an ARN, or the error. */
  lookUp(arn: string, context: ModelResolutionContext): Promise<InferenceProfile | Error>
}

/** The last answer, and until when it is valid. */
interface Answer {
  until: number
  value: unknown
  readonly share: ReturnType<typeof singleFlight>
}

/** Creates a {@link Discovery}. Clients share nothing, because they may use different accounts. */
export function createDiscovery(clock: Clock = systemClock): Discovery {
  const clients = new WeakMap<object, Map<string, Answer>>()

  function once<T>(
    key: string,
    lifetime: number,
    context: ModelResolutionContext,
    ask: (options: Pick<BedrockFetchInit, 'timeout'>) => Promise<T>,
  ): Promise<T | Error> {
    const client = context.scope ?? context.fetch
    const answers = clients.get(client) ?? new Map<string, Answer>()
    clients.set(client, answers)
    if (answers.size >= maxAnswers && !answers.has(key)) answers.clear()
    const answer: Answer = answers.get(key) ?? { until: 0, value: undefined, share: singleFlight(clock) }
    answers.set(key, answer)
    if (answer.until > clock.now()) return Promise.resolve(answer.value as T | Error)
    const asked = answer.share(async () => {
      try {
        answer.value = await ask({ timeout: { total: patience } })
        answer.until = clock.now() + lifetime
      } catch (error) {
        const message = `Cannot list the account's inference profiles: ${String(error)}`
        answer.value = new Error(message, { cause: error })
        answer.until = clock.now() + lifetimeOf(error, lifetime)
        context.logger.warn(message)
      }
      return answer.value
    })
    return raceSignal(asked as Promise<T | Error>, context.signal)
  }

  return {
    list: (region, context) =>
      once(region, listLifetime, context, (options) =>
        discoverInferenceProfiles(context.fetch, { region, ...options }),
      ),
    lookUp: (arn, context) =>
      once(arn, profileLifetime, context, async (options) => {
        const { region } = parseModelId(arn)
        const path = `/inference-profiles/${encodeURIComponent(arn)}`
        return profileOf(await readJson(await context.fetch(path, { region, ...options })))
      }),
  }
}

// A refusal is final; after a broken connection, the next name tries again.
function lifetimeOf(error: unknown, lifetime: number): number {
  if (isBedrockError(error, 'timeout')) return unreachableLifetime
  const isRefusal = isBedrockError(error, 'service') && error.status >= 400 && error.status < 500 && !error.retryable
  return isRefusal ? lifetime : 0
}
