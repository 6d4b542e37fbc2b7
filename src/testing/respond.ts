import type { JsonObject } from '../core/types.ts'
import type { StreamFault } from './faults.ts'
import type { FakeBedrockOptions, FakeCall } from './types.ts'
import type { Refusal } from './verify-signature.ts'

/** The shared state of a fake. */
export interface FakeState {
  readonly options: FakeBedrockOptions
  readonly now: () => number
  /** The number of requests so far, for request IDs. */
  requests: number
  /** Prompt prefixes by hash, and when they expire. */
  readonly cachedPrompts: Map<string, number>
  /** The calls that count against quotas. */
  readonly ledger: Map<string, LedgerEntry[]>
}

/** A call as it counts against quotas. */
export interface LedgerEntry {
  readonly at: number
  tokens: number
  isOpen: boolean
}

function commonHeaders(state: FakeState): Record<string, string> {
  return {
    'x-amzn-requestid': `00000000-0000-4000-8000-${String(state.requests).padStart(12, '0')}`,
    date: new Date(state.now()).toUTCString(),
  }
}

export function jsonResponse(
  state: FakeState,
  body: JsonObject,
  { status = 200, headers }: { readonly status?: number; readonly headers?: Record<string, string> } = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...commonHeaders(state), 'content-type': 'application/json', ...headers },
  })
}

/** Creates an error response as Bedrock sends it, including the suffix in its header. */
export function errorResponse(
  state: FakeState,
  { status, type, message, capital }: Refusal,
  fields: JsonObject = {},
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify({ [capital ? 'Message' : 'message']: message, ...fields }), {
    status,
    headers: {
      ...commonHeaders(state),
      'content-type': 'application/json',
      'x-amzn-errortype': `${type}:http://internal.amazon.com/coral/com.amazon.bedrock/`,
      ...headers,
    },
  })
}

/**
 * Creates a response from the frames of a stream.
 *
 * @param ended - called with the part of the frames that was taken, 0 to 1
 */
export function framesResponse(
  state: FakeState,
  frames: readonly Uint8Array[],
  ended: (share: number) => void,
): Response {
  let taken = 0
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const frame = frames[taken]
        if (frame) {
          taken++
          return controller.enqueue(frame)
        }
        ended(1)
        controller.close()
      },
      cancel: () => ended(taken / frames.length),
    },
    { highWaterMark: 0 },
  )
  return new Response(stream, {
    headers: {
      ...commonHeaders(state),
      'content-type': 'application/vnd.amazon.eventstream',
      'x-amzn-bedrock-content-type': 'application/json',
    },
  })
}

/** Streams frames on demand, records when the client disconnects, and applies a fault. */
export function streamResponse(
  { status, headers, body }: Response,
  call: FakeCall,
  signal: AbortSignal | undefined,
  fault: StreamFault | undefined,
  after: number,
): Response {
  const frames = (body as ReadableStream<Uint8Array>).getReader()
  let sent = 0
  let injected: Uint8Array[] | undefined
  let stopWatching = (): void => {}
  const leave = (): void => {
    stopWatching()
    call.aborted = true
    void frames.cancel()
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        stopWatching = onAbort(signal, (reason) => {
          call.aborted = true
          void frames.cancel()
          controller.error(reason)
        })
      },
      async pull(controller) {
        if (fault && sent === after && !injected) {
          const { value: next } = await frames.read()
          injected = [...fault.stream(next), ...(fault.end === 'continue' && next ? [next] : [])]
        }
        const extra = injected?.shift()
        if (extra) return controller.enqueue(extra)
        if (injected && fault?.end === 'stall') return new Promise(() => {})
        if (injected && fault?.end === 'reset') {
          stopWatching()
          void frames.cancel()
          return controller.error(
            new TypeError('terminated', {
              cause: Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }),
            }),
          )
        }
        const { value } = injected && fault?.end !== 'continue' ? {} : await frames.read()
        sent++
        if (value) return controller.enqueue(value)
        void frames.cancel()
        stopWatching()
        controller.close()
      },
      cancel: leave,
    },
    { highWaterMark: 0 },
  )
  return new Response(stream, { status, headers })
}

/** Calls back once, when a signal is aborted or if it already is; returns a function that stops listening. */
export function onAbort(signal: AbortSignal | undefined, callback: (reason: unknown) => void): () => void {
  if (signal?.aborted) callback(signal.reason)
  const listener = (): void => callback(signal?.reason)
  signal?.addEventListener('abort', listener, { once: true })
  return () => signal?.removeEventListener('abort', listener)
}
