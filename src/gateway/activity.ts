import type { TokenUsage } from '../core/types.ts'
import type { Caller, CallerLimits } from './caller.ts'
import type { Exchange, Wire } from './exchange.ts'

/** A call that is under way. */
export interface LiveCall {
  /** The caller's ID. */
  readonly key: string
  readonly model: string
  readonly wire: Wire
  readonly stream: boolean
  /** When it came, in milliseconds since the epoch. */
  readonly started: number
  /** Whether anything of the answer has gone out. */
  readonly answering: boolean
}

/** What one caller has used of one model since the gateway started. */
export interface ModelUsage {
  /** The caller's ID. */
  readonly key: string
  readonly model: string
  readonly requests: number
  /** Of these, how many were answered with a status of 400 or more, or broke off. */
  readonly errors: number
  readonly usage: Required<TokenUsage>
  /** In the currency of the prices; `undefined` where the model has none. */
  readonly cost: number | undefined
}

/** A caller that has called since the gateway started. */
export interface KeyActivity {
  /** The caller's ID. */
  readonly key: string
  /** When it called last, in milliseconds since the epoch. */
  readonly lastSeen: number
  readonly limits: CallerLimits | undefined
  /**
   * What it has spent today (UTC), in the currency of the prices: in all processes where it has a daily limit and they
   * share a store, else through this one.
   */
  readonly spentToday: number
}

/** One minute of the last hour. */
export interface ActivityMinute {
  /** When it began, in milliseconds since the epoch. */
  readonly start: number
  readonly requests: number
  readonly errors: number
  /** Input, output and cached tokens together. */
  readonly tokens: number
  /** The sum of the calls' durations, in milliseconds: over `requests`, the mean. */
  readonly duration: number
  /** The longest duration, in milliseconds. */
  readonly longest: number
}

/** Something that went wrong. */
export interface ActivityError {
  /** In milliseconds since the epoch. */
  readonly time: number
  readonly key: string | undefined
  readonly model: string | undefined
  readonly route: string
  readonly status: number
  readonly type: string
  /** For the operator: it may name the account. */
  readonly message: string
  readonly hint: string | undefined
}

/** What a gateway does, as plain data. */
export interface Activity {
  readonly calls: readonly LiveCall[]
  readonly usage: readonly ModelUsage[]
  /** The callers, the one that called first first. */
  readonly keys: readonly KeyActivity[]
  /** The last hour, oldest first; minutes without a call are left out. */
  readonly minutes: readonly ActivityMinute[]
  /** The latest first. */
  readonly errors: readonly ActivityError[]
}

/** Keeps account of exchanges. */
export interface ActivityRecorder {
  begin(exchange: Exchange): void
  end(exchange: Exchange, status: number, ended: number): void
  read(now: number): Activity
}

const maxErrors = 50
// Of keys and models together; what comes later is counted as `other`.
const maxUsage = 2_000
const maxKeys = 1_000
const minute = 60_000

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

/**
 * Makes an {@link ActivityRecorder}. Its memory is bounded, whatever comes.
 *
 * @param spentTodayBy - what a caller has spent, where somebody keeps account of that
 */
export function createActivity(spentTodayBy: (id: string) => number | undefined): ActivityRecorder {
  const live = new Set<Exchange>()
  const usage = new Map<string, Mutable<ModelUsage>>()
  const keys = new Map<string, Mutable<KeyActivity> & { day: string }>()
  const minutes = new Map<number, Mutable<ActivityMinute>>()
  const errors: ActivityError[] = []

  const usageOf = (key: string, model: string): Mutable<ModelUsage> => {
    const name = JSON.stringify([key, model])
    const known = usage.get(name)
    if (known) return known
    if (usage.size >= maxUsage && key !== 'other') return usageOf('other', 'other')
    const nothing = { inputTokens: 0, outputTokens: 0, cacheReadInputTokens: 0, cacheWriteInputTokens: 0 }
    const entry = { key, model, requests: 0, errors: 0, usage: nothing, cost: undefined }
    usage.set(name, entry)
    return entry
  }

  const keyOf = ({ id, limits }: Caller, now: number): Mutable<KeyActivity> => {
    const day = dayOf(now)
    let entry = keys.get(id)
    if (!entry) {
      entry = { key: id, lastSeen: now, limits, spentToday: 0, day }
      if (keys.size < maxKeys) keys.set(id, entry)
    }
    if (entry.day !== day) Object.assign(entry, { spentToday: 0, day })
    return Object.assign(entry, { lastSeen: now, limits })
  }

  const minuteAt = (time: number): Mutable<ActivityMinute> => {
    const start = Math.floor(time / minute) * minute
    let entry = minutes.get(start)
    if (!entry) {
      entry = { start, requests: 0, errors: 0, tokens: 0, duration: 0, longest: 0 }
      minutes.set(start, entry)
      for (const old of minutes.keys()) if (old <= start - 60 * minute) minutes.delete(old)
    }
    return entry
  }

  return {
    begin(exchange) {
      live.add(exchange)
    },
    end(exchange, status, ended) {
      live.delete(exchange)
      const { caller, model, error, route, started, cost } = exchange
      const isError = status >= 400 || error !== undefined
      if (error) {
        const { type, message, hint } = error
        errors.unshift({ time: ended, key: caller?.id, model, route: route.path, status, type, message, hint })
        errors.length = Math.min(errors.length, maxErrors)
      }
      if (!route.isInference || !caller) return
      const used = exchange.usage()
      keyOf(caller, ended).spentToday += cost ?? 0
      const total = usageOf(caller.id, model ?? 'unknown')
      total.requests++
      if (isError) total.errors++
      total.usage = addUsage(total.usage, used)
      if (cost !== undefined) total.cost = (total.cost ?? 0) + cost
      const current = minuteAt(ended)
      current.requests++
      if (isError) current.errors++
      current.tokens += tokensOf(used)
      current.duration += ended - started
      current.longest = Math.max(current.longest, ended - started)
    },
    read: (now) => ({
      calls: [...live]
        .filter(({ route }) => route.isInference)
        .map(({ caller, model, route, isStream, started, firstByte }) => ({
          key: caller?.id ?? '',
          model: model ?? 'unknown',
          wire: route.wire,
          stream: isStream,
          started,
          answering: firstByte !== undefined,
        })),
      usage: [...usage.values()].map((entry) => ({ ...entry })),
      keys: [...keys.values()].map(({ day, spentToday, ...entry }) => ({
        ...entry,
        spentToday: spentTodayBy(entry.key) ?? (day === dayOf(now) ? spentToday : 0),
      })),
      minutes: [...minutes.values()].filter(({ start }) => start > now - 60 * minute).map((entry) => ({ ...entry })),
      errors: [...errors],
    }),
  }
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}

function addUsage(one: Required<TokenUsage>, other: TokenUsage): Required<TokenUsage> {
  const sum = (name: keyof TokenUsage): number => (one[name] ?? 0) + (other[name] ?? 0)
  return {
    inputTokens: sum('inputTokens'),
    outputTokens: sum('outputTokens'),
    cacheReadInputTokens: sum('cacheReadInputTokens'),
    cacheWriteInputTokens: sum('cacheWriteInputTokens'),
  }
}

/** All tokens of a call. */
export function tokensOf(usage: TokenUsage): number {
  return Object.values(usage).reduce((sum: number, tokens) => sum + (tokens ?? 0), 0)
}
