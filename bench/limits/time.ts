import type { Clock } from '../../src/core/types.ts'

interface Timer {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** Simulated time, which passes as fast as the work is done. */
export interface SimulatedTime extends Clock {
  sleep(milliseconds: number): Promise<void>
  /** Waits for work in real time, such as hashing or reading a body. */
  hold(): void
  /** Runs until a given time, including all promises between timers. */
  runUntil(end: number): Promise<void>
}

export function createTime(start = 0): SimulatedTime {
  const heap: Timer[] = []
  const cancelled = new WeakSet<Timer>()
  let now = start
  let count = 0
  const isBefore = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
  const swap = (i: number, j: number): void => {
    ;[heap[i], heap[j]] = [heap[j] as Timer, heap[i] as Timer]
  }
  const push = (timer: Timer): void => {
    heap.push(timer)
    for (let i = heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1
      if (!isBefore(heap[i] as Timer, heap[parent] as Timer)) break
      swap(i, parent)
      i = parent
    }
  }
  const pop = (): Timer | undefined => {
    const first = heap[0]
    const last = heap.pop()
    if (!first || !last || heap.length === 0) return first
    heap[0] = last
    for (let i = 0; ; ) {
      let least = i
      for (const child of [2 * i + 1, 2 * i + 2])
        if (child < heap.length && isBefore(heap[child] as Timer, heap[least] as Timer)) least = child
      if (least === i) break
      swap(i, least)
      i = least
    }
    return first
  }
  // At least a millisecond, as in Node.
  const setTimeout = (run: () => void, milliseconds: number): Timer => {
    const timer = { at: now + Math.max(1, milliseconds), order: count++, run }
    push(timer)
    return timer
  }
  let held = 0
  const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
  return {
    now: () => now,
    hold: () => {
      held = 2
    },
    setTimeout,
    clearTimeout: (handle) => {
      if (handle) cancelled.add(handle as Timer)
    },
    sleep: (milliseconds) => new Promise((resolve) => void setTimeout(resolve, milliseconds)),
    async runUntil(end) {
      for (;;) {
        await turn()
        for (; held > 0; held--) await new Promise((resolve) => globalThis.setTimeout(resolve, 0))
        const next = heap[0]
        if (!next || next.at > end) break
        pop()
        if (cancelled.has(next)) continue
        now = next.at
        next.run()
      }
      now = end
    },
  }
}

/** Returns a source of random numbers that are the same in every run. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}
