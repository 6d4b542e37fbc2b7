import { readableFrom } from '../core/internal/readable.ts'
import { onAbort } from '../core/internal/signal.ts'
import type { Clock } from '../core/types.ts'
import { describeError } from './errors.ts'
import type { Exchange } from './exchange.ts'

// nginx logs this status too; the client is no longer there to read it.
const leftStatus = 499

/** Returns the response for a client that has disconnected. */
export function clientLeft(): Response {
  return new Response(null, { status: leftStatus })
}

/**
 * Wraps a response to report when its body begins and ends. Reads no faster than the client does.
 *
 * @param end - called once, when the response is over: complete, broken or abandoned
 */
export async function watched(
  response: Response,
  exchange: Exchange,
  clock: Clock,
  end: (status: number) => Promise<void>,
): Promise<Response> {
  const { body, status, headers } = response
  // A complete response counts as sent.
  if (!body || !((exchange.isStream && response.ok) || exchange.watch)) {
    exchange.firstByte = clock.now()
    await end(status)
    return response
  }
  const reader = body.getReader()
  let isOver = false
  const over = async (as: number): Promise<void> => {
    if (isOver) return
    isOver = true
    release()
    exchange.watch?.end()
    await end(as)
  }
  const leave = async (): Promise<void> => {
    if (!isOver) reader.cancel().catch(() => {})
    await over(leftStatus)
  }
  const release = onAbort(exchange.request.signal, () => void leave())

  const read = async (): Promise<Uint8Array | undefined> => {
    try {
      const { done, value } = await reader.read()
      if (done) await over(status)
      else {
        exchange.firstByte ??= clock.now()
        exchange.watch?.push(value)
      }
      return value
    } catch (error) {
      if (!exchange.request.signal.aborted) exchange.error ??= describeError(error)
      await over(status)
      throw error
    }
  }
  return new Response(readableFrom(read, leave), { status, headers })
}
