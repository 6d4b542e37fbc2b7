import { type Call, SimulatedRegion, type Window } from './bedrock.ts'
import type { Send, Strategy } from './strategies.ts'
import { createRandom, createTime } from './time.ts'

export interface Setting {
  readonly clients: number
  readonly window: Window
  /** The load, in units of the quota. */
  readonly load: number
  readonly maxTokens: number
  /** @default 1 */
  readonly regions?: number
  /** The measured time, in milliseconds. @default 600_000 */
  readonly measured?: number
}

export interface Outcome {
  /** The tokens of answered calls, in units of the quota. */
  readonly goodput: number
  /** The share of refused attempts. */
  readonly refused: number
  /** Jain's fairness index of the clients: 1 if all got the same. */
  readonly fairness: number
  /** The share of tokens read from the prompt cache, of those that an endless cache would have. */
  readonly cacheHits: number
  /** The share of failed calls. */
  readonly failed: number
  /** The goodput of every 5 seconds, in units of the quota. */
  readonly course: readonly number[]
}

export const quota = 1_000_000
const burndown = 5
const warmUp = 120_000
const turns = 12

/** Runs one strategy: conversations of agents, whose prefix grows from turn to turn. */
export async function simulate(strategy: Strategy, setting: Setting): Promise<Outcome> {
  const { clients, window, load, maxTokens, regions: count = 1, measured = 600_000 } = setting
  const time = createTime(1_800_000_000_000)
  const start = time.now()
  const random = createRandom(7)
  const regions = Array.from({ length: count }, () => new SimulatedRegion(time.now, quota, burndown, window))
  const makeClient = strategy.open({ time, random, regions, quota, clients })

  // A call uses about 3,900 tokens of the quota and takes 7.5 s. With the pause between turns, a conversation makes one call
  // per 30 s.
  const wanted = (load * quota) / 3_900 / 2
  const each = Math.max(1, Math.round(wanted / clients))
  const pause = 45_000 * ((each * clients) / wanted)
  const got = new Array<number>(clients).fill(0)
  let calls = 0
  let failed = 0
  const isMeasured = (): boolean => time.now() - start >= warmUp
  const converse = async (client: number, send: Send): Promise<void> => {
    await time.sleep(random() * 30_000)
    for (let conversation = 0; ; conversation++) {
      const prefix = `${client}/${random()}/${conversation}`
      let context = 6_000
      for (let turn = 0; turn < turns; ) {
        // Answers of 40 to about 1,500 tokens, 400 on average.
        const output = Math.min(maxTokens, Math.round(40 + 360 * -Math.log(1 - random() * 0.98)))
        const added = 600
        const call: Call = {
          prefix,
          cacheable: context + added,
          reusable: turn === 0 ? 0 : context,
          fresh: 50,
          maxTokens,
          output,
        }
        const usage = await send(call)
        if (isMeasured()) calls++
        if (usage) {
          turn++
          context += added + output
          const tokens = usage.inputTokens + usage.cacheWriteInputTokens + usage.outputTokens * burndown
          if (isMeasured()) got[client] = (got[client] ?? 0) + tokens
        } else if (isMeasured()) {
          failed++
        }
        await time.sleep(random() * pause)
      }
    }
  }
  const senders = Array.from({ length: clients }, makeClient)
  for (let i = 0; i < each * clients; i++) {
    const client = i % clients
    void converse(client, senders[client] as Send)
  }

  await time.runUntil(start + warmUp)
  const before = totals(regions)
  await time.runUntil(start + warmUp + measured)
  const after = totals(regions)

  const total = got.reduce((sum, tokens) => sum + tokens, 0)
  const squares = got.reduce((sum, tokens) => sum + tokens ** 2, 0)
  const course = new Array<number>((warmUp + measured) / 5_000).fill(0)
  for (const { at, tokens } of regions.flatMap(({ settled }) => settled)) {
    const slot = Math.floor((at - start) / 5_000)
    if (slot < course.length) course[slot] = (course[slot] ?? 0) + (tokens / quota) * 12
  }
  return {
    goodput: total / (quota * (measured / 60_000)),
    refused: (after.refused - before.refused) / Math.max(1, after.attempts - before.attempts),
    fairness: squares === 0 ? 1 : total ** 2 / (clients * squares),
    cacheHits: (after.reads - before.reads) / Math.max(1, after.cacheable - before.cacheable),
    failed: failed / Math.max(1, calls),
    course,
  }
}

function totals(regions: readonly SimulatedRegion[]) {
  const sum = (of: (region: SimulatedRegion) => number): number =>
    regions.reduce((total, region) => total + of(region), 0)
  return {
    attempts: sum(({ attempts }) => attempts),
    refused: sum(({ refused }) => refused),
    reads: sum(({ cacheReads }) => cacheReads),
    cacheable: sum(({ cacheable }) => cacheable),
  }
}
