/** A clock whose timers run when it is moved past them. */
export function createManualClock(start = 1_800_000_000_000) {
  const timers = new Map<object, { readonly callback: () => void; readonly due: number }>()
  let now = start
  return {
    timers,
    now: () => now,
    setTimeout: (callback: () => void, milliseconds: number): object => {
      const handle = {}
      timers.set(handle, { callback, due: now + milliseconds })
      return handle
    },
    clearTimeout: (handle: unknown): void => void timers.delete(handle as object),
    advance(milliseconds: number): void {
      now += milliseconds
      for (const [handle, { callback, due }] of timers) {
        if (due > now) continue
        timers.delete(handle)
        callback()
      }
    },
  }
}

/** Holds requests back until it is opened. */
export function createGate() {
  let open = (): void => {}
  let reach = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  return {
    /** Settles when the first request has come. */
    reached,
    open,
    hold:
      (send: typeof fetch): typeof fetch =>
      async (input, init) => {
        reach()
        await opened
        return send(input, init)
      },
  }
}
