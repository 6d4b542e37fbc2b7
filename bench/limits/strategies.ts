import { ServiceError } from '../../src/core/errors.ts'
import { createRetryPolicy, retryDelay } from '../../src/core/transport/retry.ts'
import type { BedrockResponse, MiddlewareContext } from '../../src/core/types.ts'
import { type LimitStore, type LimitsOptions, limits, memoryLimitStore } from '../../src/limits/index.ts'
import { AdaptiveLimiter } from './aws-adaptive.ts'
import { openFailover } from './failing-over.ts'
import type { Call, SimulatedRegion, Usage } from './bedrock.ts'
import type { SimulatedTime } from './time.ts'

/** Makes a client's call. Resolves to its usage, or `undefined` if it failed. */
export type Send = (call: Call) => Promise<Usage | undefined>

export interface Scene {
  readonly time: SimulatedTime
  readonly random: () => number
  /** The Regions. All strategies but one use only the first. */
  readonly regions: readonly SimulatedRegion[]
  readonly quota: number
  readonly clients: number
}

export interface Strategy {
  readonly name: string
  /** Creates the clients of one run. */
  open(scene: Scene): () => Send
}

const model = 'anthropic.claude-sonnet-4-6'

/** Makes one attempt, which is refused at once or answered later. */
async function attempt({ regions, time }: Scene, call: Call, target = 0): Promise<Usage | undefined> {
  await time.sleep(20)
  const region = regions[target] as SimulatedRegion
  const admitted = region.admit(call)
  if (!admitted) return undefined
  await time.sleep(admitted.latency)
  admitted.settle()
  return admitted.usage
}

/** Makes attempts with the delays of a retry policy. */
async function withRetries(
  scene: Scene,
  call: Call,
  baseDelay: number,
  onRetry?: (error: Error) => void,
  target?: number,
): Promise<Usage> {
  const policy = createRetryPolicy({ baseDelay })
  for (let count = 1; ; count++) {
    const usage = await attempt(scene, call, target)
    if (usage) return usage
    const error = throttled()
    const delay = retryDelay(error, count, policy, scene.random)
    if (delay === undefined) throw error
    onRetry?.(error)
    await scene.time.sleep(delay)
  }
}

const throttled = (): ServiceError =>
  new ServiceError('Too many tokens, please wait before trying again.', {
    status: 429,
    type: 'ThrottlingException',
    retryable: true,
  })

const nothing: Strategy = {
  name: 'nothing',
  open: (scene) => () => (call) => withRetries(scene, call, 500).catch(() => undefined),
}

/** The AWS SDK's adaptive mode: a token before each attempt, an update after it, and delays from one second. */
const awsAdaptive: Strategy = {
  name: "AWS SDK's adaptive retry",
  open: (scene) => () => {
    const limiter = new AdaptiveLimiter(() => scene.time.now() / 1000)
    const policy = createRetryPolicy({ baseDelay: 1_000 })
    return async (call) => {
      for (let count = 1; ; count++) {
        for (let wait = limiter.take(); wait > 0; wait = limiter.take()) await scene.time.sleep(wait * 1000)
        const usage = await attempt(scene, call)
        limiter.update(usage === undefined)
        if (usage) return usage
        const delay = retryDelay(throttled(), count, policy, scene.random)
        if (delay === undefined) return undefined
        await scene.time.sleep(delay)
      }
    }
  },
}

/** A typical hand-written limiter: a bucket with a share of the quota, charged each call's input and max_tokens. */
const tokenBucket: Strategy = {
  name: 'a token bucket',
  open: (scene) => () => {
    const rate = scene.quota / scene.clients / 60_000
    let level = rate * 10_000
    let at = scene.time.now()
    return async (call) => {
      const cost = call.cacheable + call.fresh + call.maxTokens
      for (;;) {
        level = Math.min(rate * 10_000, level + rate * (scene.time.now() - at))
        at = scene.time.now()
        const lacking = Math.min(cost, rate * 10_000) - level
        if (lacking <= 0) break
        await scene.time.sleep(lacking / rate + 1)
      }
      level -= cost
      return withRetries(scene, call, 500).catch(() => undefined)
    }
  },
}

function ours(name: string, options: (scene: Scene) => LimitsOptions): Strategy {
  return {
    name,
    open: (scene) => {
      const shared = options(scene)
      return () => {
        const limiter = limits(shared)
        return (call) => callThrough(scene, limiter, call).catch(() => undefined)
      }
    },
  }
}

/** The real middleware, with a made-up request and response. */
async function callThrough(scene: Scene, limiter: ReturnType<typeof limits>, call: Call): Promise<Usage> {
  const quiet = (): void => {}
  const ref = { id: `us.${model}`, base: model, geo: 'us', source: 'explicit' as const }
  const context = {
    model: ref,
    region: 'us-east-1',
    endpoint: 'https://bedrock.example',
    timeout: {},
    inner: [],
    fetch: () => Promise.reject(new Error('Nothing is sent')),
    identity: async () => undefined,
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    clock: scene.time,
  } as Partial<MiddlewareContext> as MiddlewareContext
  // A token is estimated as four bytes. Equal prefixes have equal system prompts.
  const text = (tokens: number): string => 'abcd'.repeat(Math.max(1, Math.round(tokens)))
  const body = {
    max_tokens: call.maxTokens,
    system: call.prefix,
    messages: [{ role: 'user', content: text(call.cacheable + call.fresh) }],
  }
  const response = await limiter(
    { operation: 'InvokeModel', model: ref, body, headers: {}, options: {} },
    async ({ options }): Promise<BedrockResponse> => {
      const usage = await withRetries(scene, call, 500, (error) => options.onRetry?.({ attempt: 1, error, delay: 0 }))
      const metadata = { requestId: undefined, status: 200, headers: {}, attempts: 1, model: ref, usage, latency: 0 }
      return { type: 'json', body: {}, metadata }
    },
    context,
  )
  return response.metadata.usage as Usage
}

/** A store that all clients share, with the delay of a Redis in the same network. */
function remote(time: SimulatedTime, store: LimitStore = memoryLimitStore()): LimitStore {
  return {
    async reserve(...args) {
      await time.sleep(1)
      return store.reserve(...args)
    },
    async settle(...args) {
      await time.sleep(1)
      return store.settle(...args)
    },
  }
}

const quotas = ({ quota }: Scene) => [{ model, bucket: 'cross-region' as const, tokensPerMinute: quota }]
const patient = { maxWait: 60_000 }

/** Sends each call to the next Region, regardless of its conversation. */
const roundRobin: Strategy = {
  name: 'round robin over two Regions',
  open: (scene) => () => {
    let turn = 0
    return (call) => withRetries(scene, call, 500, undefined, turn++ % scene.regions.length).catch(() => undefined)
  },
}

/** The strategies that use several Regions. */
export const targets: readonly Strategy[] = [roundRobin, { name: 'failover, limits behind it', open: openFailover }]

export const strategies: readonly Strategy[] = [
  nothing,
  awsAdaptive,
  tokenBucket,
  ours('limits, no quota known', () => patient),
  ours('limits, each its share', (scene) => ({ ...patient, quotas: quotas(scene), instances: scene.clients })),
  ours('limits, no quota, one store', (scene) => ({ ...patient, store: remote(scene.time) })),
  ours('limits, one store', (scene) => ({ ...patient, quotas: quotas(scene), store: remote(scene.time) })),
]
