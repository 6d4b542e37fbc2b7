// Measures how many tokens of a conversation's prefix are read from a prompt cache when two Regions share the load: with the
// real `failover`, with one Region that has both quotas, and with Regions in turn.
//
//   npx tsx --tsconfig tsconfig.base.json bench/limits/failover.ts [bucket | sliding | calendar]
import { ServiceError } from '../../src/core/errors.ts'
import { createRetryPolicy, retryDelay } from '../../src/core/transport/retry.ts'
import type {
  BedrockRequest,
  BedrockResponse,
  CallOptions,
  MiddlewareContext,
  ModelRef,
  Next,
} from '../../src/core/types.ts'
import { failover } from '../../src/failover/failover.ts'
import type { FailoverTargets } from '../../src/failover/targets.ts'
import { type LimitsOptions, limits } from '../../src/limits/index.ts'
import { type Call, SimulatedRegion, type Usage, type Window } from './bedrock.ts'
import { createRandom, createTime, type SimulatedTime } from './time.ts'

const window = (process.argv[2] ?? 'bucket') as Window
const quota = 1_000_000
const burndown = 5
const warmUp = 120_000
const measured = 1_200_000
const turns = 12

interface Scene {
  readonly time: SimulatedTime
  readonly random: () => number
  readonly regions: ReadonlyMap<string, SimulatedRegion>
  /** Whether a Region currently answers every call with 503. */
  readonly isDown: (region: string) => boolean
}

type Send = (call: Call) => Promise<Usage | undefined>

interface Strategy {
  readonly name: string
  /** The quota of each Region. */
  readonly quotas: Readonly<Record<string, number>>
  readonly open: (scene: Scene) => Send
}

const [east, west] = ['us-east-1', 'us-west-2'] as const
const ref: ModelRef = {
  id: 'us.anthropic.claude-sonnet-4-6',
  base: 'anthropic.claude-sonnet-4-6',
  geo: 'us',
  region: east,
  source: 'explicit',
}

/** Makes attempts in one Region, with the client's delays. */
async function callIn(scene: Scene, name: string, call: Call, { retry, onRetry }: CallOptions = {}): Promise<Usage> {
  const { time, regions, random } = scene
  const policy = createRetryPolicy(retry)
  for (let count = 1; ; count++) {
    await time.sleep(20)
    const isDown = scene.isDown(name)
    const admitted = isDown ? undefined : (regions.get(name) as SimulatedRegion).admit(call)
    if (admitted) {
      await time.sleep(admitted.latency)
      admitted.settle()
      return admitted.usage
    }
    const error = new ServiceError('Try again later', { status: isDown ? 503 : 429, retryable: true })
    const delay = retryDelay(error, count, policy, random)
    if (delay === undefined) throw error
    onRetry?.({ attempt: count, error, delay })
    await time.sleep(delay)
  }
}

const oneRegion: Strategy = {
  name: 'one Region, twice the quota',
  quotas: { [east]: 2 * quota },
  open: (scene) => (call) => callIn(scene, east, call).catch(() => undefined),
}

const byTurns: Strategy = {
  name: 'two Regions in turn',
  quotas: { [east]: quota, [west]: quota },
  open: (scene) => {
    let count = 0
    return (call) => callIn(scene, count++ % 2 ? west : east, call).catch(() => undefined)
  },
}

const withFailover = (name: string, targets: FailoverTargets, limiting?: LimitsOptions): Strategy => ({
  name,
  quotas: { [east]: quota, [west]: quota },
  open: (scene) => {
    const middleware = failover(targets)
    const limiter = limiting && limits(limiting)
    const quiet = (): void => {}
    const contextIn = (region: string): MiddlewareContext => ({
      model: { ...ref, region },
      region,
      endpoint: 'https://bedrock.example',
      env: undefined,
      timeout: {},
      retry: undefined,
      inner: [],
      resolve: async (_, region = east) => ({ ...ref, region }),
      fetch: () => Promise.reject(new Error('Nothing is sent')),
      identity: async () => undefined,
      logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      clock: scene.time,
    })
    return async (call) => {
      const answerOf =
        (model: ModelRef) =>
        async ({ options }: BedrockRequest): Promise<BedrockResponse> => {
          const usage = await callIn(scene, model.region ?? east, call, options)
          const metadata = { requestId: undefined, status: 200, headers: {}, attempts: 1, model, usage, latency: 0 }
          return { type: 'json', body: {}, metadata }
        }
      const next: Next = (request) => {
        const model = request.model as ModelRef
        const answer = answerOf(model)
        return limiter ? limiter(request, answer, contextIn(model.region ?? east)) : answer(request)
      }
      // A token is estimated as four bytes. Equal prefixes have equal system prompts.
      const content = 'abcd'.repeat(Math.round((call.cacheable + call.fresh) / 100))
      const body = { max_tokens: call.maxTokens, system: call.prefix, messages: [{ role: 'user', content }] }
      const request = { operation: 'InvokeModel', model: ref, body, headers: {}, options: {} } as const
      return middleware(request, next, contextIn(east)).then(
        ({ metadata }) => metadata.usage as Usage,
        () => undefined,
      )
    }
  },
})

const equals: FailoverTargets = [[{}, { region: west }]]
const quotas = [{ model: ref.base as string, bucket: 'cross-region' as const, tokensPerMinute: quota }]
const strategies: readonly Strategy[] = [
  oneRegion,
  byTurns,
  withFailover('failover: one, then the other', [{ region: west }]),
  withFailover('failover: equals', equals),
  withFailover('failover: equals, limits behind', equals, { quotas, maxWait: 60_000 }),
]

/**
 * Runs conversations of agents, whose prefix grows from turn to turn.
 *
 * @param load - the requested tokens, in units of both Regions' quotas together
 * @param outage - the duration of an outage of us-east-1, in milliseconds
 */
async function simulate({ quotas, open }: Strategy, load: number, outage: number): Promise<readonly number[]> {
  const time = createTime(1_800_000_000_000)
  const start = time.now()
  const random = createRandom(7)
  const regions = new Map(
    Object.entries(quotas).map(([name, own]) => [name, new SimulatedRegion(time.now, own, burndown, window)]),
  )
  const isDown = (region: string): boolean => {
    const since = time.now() - start - warmUp - 300_000
    return region === east && regions.size > 1 && since >= 0 && since < outage
  }
  const send = open({ time, random, regions, isDown })
  const outcome = { calls: 0, failed: 0 }
  const isMeasured = (): boolean => time.now() - start >= warmUp
  const converse = async (): Promise<void> => {
    await time.sleep(random() * 30_000)
    for (;;) {
      const prefix = `${random()}`
      let context = 6_000
      for (let turn = 0; turn < turns; ) {
        const output = Math.round(40 + 360 * -Math.log(1 - random() * 0.98))
        const cacheable = context + 600
        const usage = await send({
          prefix,
          cacheable,
          reusable: turn === 0 ? 0 : context,
          fresh: 50,
          maxTokens: 2048,
          output,
        })
        if (isMeasured()) outcome.calls++
        if (usage) {
          turn++
          context = cacheable + output
        } else if (isMeasured()) outcome.failed++
        await time.sleep(random() * 45_000)
      }
    }
  }
  // A call uses about 3,900 tokens of a quota, and a conversation makes two calls per minute.
  for (let i = 0; i < (load * quota) / 3_900; i++) void converse()
  await time.runUntil(start + warmUp)
  const sum = (of: (region: SimulatedRegion) => number): number =>
    [...regions.values()].reduce((total, region) => total + of(region), 0)
  const before = [sum((r) => r.attempts), sum((r) => r.refused), sum((r) => r.cacheReads), sum((r) => r.cacheable)]
  await time.runUntil(start + warmUp + measured)
  const [attempts, refused, reads, cacheable] = [
    sum((r) => r.attempts),
    sum((r) => r.refused),
    sum((r) => r.cacheReads),
    sum((r) => r.cacheable),
  ].map((count, i) => count - (before[i] ?? 0)) as [number, number, number, number]
  return [
    (outcome.calls - outcome.failed) / (measured / 60_000),
    refused / attempts,
    reads / cacheable,
    outcome.failed / outcome.calls,
  ]
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`.padStart(11)
const worst = { points: 0 }
for (const [title, load, outage] of [
  ['A third of both quotas', 0.35, 0],
  ['Two thirds of both quotas', 0.65, 0],
  ['More than both quotas', 1.3, 0],
  ['A third of both quotas, and us-east-1 answers 503 for 3 of 20 minutes', 0.35, 180_000],
] as const) {
  console.log(`\n${title.padEnd(72)}answers/min  refused     cache hits failed`)
  let reference: number | undefined
  for (const strategy of strategies) {
    const [answers = 0, ...shares] = await simulate(strategy, load, outage)
    const hits = shares[1] ?? 0
    reference ??= hits
    // Beyond both quotas, only `limits` keeps a conversation with its cache.
    const isHeld = load < 1 ? strategy.name.startsWith('failover') : strategy.name.endsWith('limits behind')
    if (isHeld) worst.points = Math.max(worst.points, (reference - hits) * 100)
    console.log(`  ${strategy.name.padEnd(70)}${answers.toFixed(0).padStart(11)}${shares.map(percent).join('')}`)
  }
}
console.log(`\nfailover: at most ${worst.points.toFixed(1)} points below one Region, of 5 that are allowed`)
process.exitCode = worst.points > 5 ? 1 : 0
