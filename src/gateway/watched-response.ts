import { readableFrom } from '../core/internal/readable.ts'
import { onAbort } from '../core/internal/signal.ts'
import type { Clock } from '../core/types.ts'
import { describeError } from './errors.ts'
import type { RequestContext } from './request-context.ts'

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
  context: RequestContext,
  clock: Clock,
  end: (status: number) => Promise<void>,
): Promise<Response> {
  const { body, status, headers } = response
  // A complete response counts as sent.
  if (!body || !((context.isStream && response.ok) || context.watch)) {
    context.firstByte = clock.now()
    await end(status)
    return response
  }
  const reader = body.getReader()
  let isOver = false
  const over = async (as: number): Promise<void> => {
    if (isOver) return
    isOver = true
    release()
    context.watch?.end()
    await end(as)
  }
  const leave = async (): Promise<void> => {
    if (!isOver) reader.cancel().catch(() => {})
    await over(leftStatus)
  }
  const release = onAbort(context.request.signal, () => void leave())

  const read = async (): Promise<Uint8Array | undefined> => {
    try {
      const { done, value } = await reader.read()
      if (done) await over(status)
      else {
        context.firstByte ??= clock.now()
        context.watch?.push(value)
      }
      return value
    } catch (error) {
      if (!context.request.signal.aborted) context.error ??= describeError(error)
      await over(status)
      throw error
    }
  }
  return new Response(readableFrom(read, leave), { status, headers })
}
