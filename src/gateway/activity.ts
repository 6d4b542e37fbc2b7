import type { TokenUsage } from '../core/types.ts'
import type { Caller, CallerLimits } from './caller.ts'
import type { RequestContext, ApiFormat } from './request-context.ts'

/** A call in progress. */
export interface LiveCall {
  /** The caller's ID. */
  readonly key: string
  readonly model: string
  readonly api: ApiFormat
  readonly stream: boolean
  /** When it arrived, in milliseconds since the epoch. */
  readonly started: number
  /** Whether part of the response has been sent. */
  readonly answering: boolean
}

/** One caller's usage of one model since the gateway started. */
export interface ModelUsage {
  /** The caller's ID. */
  readonly key: string
  readonly model: string
  readonly requests: number
  /** The number of these with a status of 400 or more, or that broke off. */
  readonly errors: number
  readonly usage: Required<TokenUsage>
  /** In the currency of the prices; `undefined` for a model without a price. */
  readonly cost: number | undefined
}

/** A caller that has made requests since the gateway started. */
export interface KeyActivity {
  /** The caller's ID. */
  readonly key: string
  /** The time of its last request, in milliseconds since the epoch. */
  readonly lastSeen: number
  readonly limits: CallerLimits | undefined
  /**
   * Its spending today (UTC), in the currency of the prices: of all processes if it has a daily limit and they share a
   * store, else of this process.
   */
  readonly spentToday: number
}

/** A minute of the last hour. */
export interface ActivityMinute {
  /** Its start, in milliseconds since the epoch. */
  readonly start: number
  readonly requests: number
  readonly errors: number
  /** Input, output and cached tokens. */
  readonly tokens: number
  /** The total duration of its calls, in milliseconds; divide by `requests` for the mean. */
  readonly duration: number
  /** The longest duration, in milliseconds. */
  readonly longest: number
}

/** An error. */
export interface ActivityError {
  /** In milliseconds since the epoch. */
  readonly time: number
  readonly key: string | undefined
  readonly model: string | undefined
  readonly route: string
  readonly status: number
  readonly type: string
  /** For the operator, because it may name the account. */
  readonly message: string
  readonly hint: string | undefined
}

/** A gateway's activity, as plain data. */
export interface Activity {
  readonly calls: readonly LiveCall[]
  readonly usage: readonly ModelUsage[]
  /** The callers, in the order of their first request. */
  readonly keys: readonly KeyActivity[]
  /** The last hour, oldest first, without minutes that had no calls. */
  readonly minutes: readonly ActivityMinute[]
  /** The latest errors first. */
  readonly errors: readonly ActivityError[]
}

/** Records the activity of a gateway. */
export interface ActivityRecorder {
  begin(context: RequestContext): void
  end(context: RequestContext, status: number, ended: number): void
  read(now: number): Activity
}

const maxErrors = 50
// The maximum of pairs of key and model; further ones count as `other`.
const maxUsage = 2_000
const maxKeys = 1_000
const minute = 60_000

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

/**
 * Creates an {@link ActivityRecorder}. Its memory is limited.
 *
 * @param spentTodayBy - returns a caller's spending today, if it is tracked
 */
export function createActivity(spentTodayBy: (id: string) => number | undefined): ActivityRecorder {
  const live = new Set<RequestContext>()
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
    begin(context) {
      live.add(context)
    },
    end(context, status, ended) {
      live.delete(context)
      const { caller, model, error, route, started, cost } = context
      const isError = status >= 400 || error !== undefined
      // Strangers must not push out what the operator has to see.
      if (error && (caller || status >= 500)) {
        const { type, message, hint } = error
        errors.unshift({ time: ended, key: caller?.id, model, route: route.path, status, type, message, hint })
        errors.length = Math.min(errors.length, maxErrors)
      }
      if (!route.isInference || !caller) return
      const used = context.usage()
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
          api: route.api,
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

/** Returns the total tokens of a call. */
export function tokensOf(usage: TokenUsage): number {
  return Object.values(usage).reduce((sum: number, tokens) => sum + (tokens ?? 0), 0)
}
