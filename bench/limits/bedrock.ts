// A model of Bedrock's admission, based only on AWS's pages, without code of the library.
// https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html

/**
 * How the service counts a minute, which AWS does not document: a bucket that refills continuously, the last 60 seconds, or
 * the minute of the clock.
 */
export type Window = 'bucket' | 'sliding' | 'calendar'

export interface Call {
  readonly prefix: string
  /** Input tokens of the prefix, which a prompt cache may have. */
  readonly cacheable: number
  /** The maximum of them that the previous turn had. */
  readonly reusable: number
  /** Input tokens after the prefix. */
  readonly fresh: number
  readonly maxTokens: number
  readonly output: number
}

export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadInputTokens: number
  readonly cacheWriteInputTokens: number
}

export interface Admitted {
  readonly usage: Usage
  /** In milliseconds. */
  readonly latency: number
  /** Counts the actual usage. Call it when the answer has ended. */
  settle(): number
}

const minute = 60_000
const cacheLifetime = 5 * minute

/** One Region: a quota of tokens per minute for one model, and its prompt cache. */
export class SimulatedRegion {
  attempts = 0
  refused = 0
  cacheReads = 0
  cacheable = 0
  /** The counted tokens, by the minute of settlement. */
  readonly settled: { readonly at: number; readonly tokens: number }[] = []
  readonly #now: () => number
  readonly #quota: number
  readonly #burndown: number
  readonly #window: Window
  readonly #cache = new Map<string, { tokens: number; until: number }>()
  #level: number
  #at: number
  #entries: { at: number; tokens: number; isOpen: boolean }[] = []

  constructor(now: () => number, quota: number, burndown: number, window: Window) {
    this.#now = now
    this.#quota = quota
    this.#burndown = burndown
    this.#window = window
    this.#level = quota
    this.#at = now()
  }

  /** Admits a call, or refuses it with a 429. */
  admit(call: Call): Admitted | undefined {
    const now = this.#now()
    this.attempts++
    const entry = this.#cache.get(call.prefix)
    const read = entry && entry.until > now ? Math.min(entry.tokens, call.reusable) : 0
    const write = call.cacheable - read
    const reserved = call.fresh + write + call.maxTokens
    if (!this.#take(reserved, now)) {
      this.refused++
      return undefined
    }
    this.cacheReads += read
    this.cacheable += call.reusable
    this.#cache.set(call.prefix, { tokens: call.cacheable, until: now + cacheLifetime })
    const charge = { at: now, tokens: reserved, isOpen: true }
    this.#entries.push(charge)
    const counted = call.fresh + write + call.output * this.#burndown
    return {
      usage: {
        inputTokens: call.fresh,
        outputTokens: call.output,
        cacheReadInputTokens: read,
        cacheWriteInputTokens: write,
      },
      latency: 800 + (call.output / 60) * 1000,
      settle: () => {
        this.#refill(this.#now())
        this.#level += reserved - counted
        charge.tokens = counted
        charge.isOpen = false
        this.settled.push({ at: this.#now(), tokens: counted })
        return counted
      },
    }
  }

  #refill(now: number): void {
    this.#level = Math.min(this.#quota, this.#level + (this.#quota * (now - this.#at)) / minute)
    this.#at = now
  }

  #take(tokens: number, now: number): boolean {
    if (this.#window === 'bucket') {
      this.#refill(now)
      if (this.#level < tokens) return false
      this.#level -= tokens
      return true
    }
    const since = this.#window === 'sliding' ? now - minute : now - (now % minute)
    this.#entries = this.#entries.filter(({ at, isOpen }) => isOpen || at >= since)
    const used = this.#entries.reduce((sum, entry) => sum + entry.tokens, 0)
    return used + tokens <= this.#quota
  }
}
