import type { JsonObject } from '../core/types.ts'
import type { StreamFault } from './faults.ts'
import type { FakeBedrockOptions, FakeCall } from './types.ts'
import type { Refusal } from './verify-signature.ts'

/** What the parts of one fake share. */
export interface FakeState {
  readonly options: FakeBedrockOptions
  readonly now: () => number
  /** How many requests have come; makes request IDs. */
  requests: number
  /** Prompt prefixes by hash, and until when they are cached. */
  readonly cachedPrompts: Map<string, number>
}

function commonHeaders(state: FakeState): Record<string, string> {
  return {
    'x-amzn-requestid': `00000000-0000-4000-8000-${String(state.requests).padStart(12, '0')}`,
    date: new Date(state.now()).toUTCString(),
  }
}

export function jsonResponse(state: FakeState, body: JsonObject, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    headers: { ...commonHeaders(state), 'content-type': 'application/json', ...headers },
  })
}

/** An error as Bedrock sends it, with the tail that its header has. */
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

/** What Bedrock answers to a path that it does not route: an error with status 200. */
export function unknownOperation(state: FakeState): Response {
  return jsonResponse(state, {
    Output: { __type: 'com.amazon.coral.service#UnknownOperationException' },
    Version: '1.0',
  })
}

/** The frames of a stream, before anything happens to them. */
export function framesResponse(state: FakeState, frames: readonly Uint8Array[]): Response {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const frame of frames) controller.enqueue(frame)
      controller.close()
    },
  })
  return new Response(stream, {
    headers: {
      ...commonHeaders(state),
      'content-type': 'application/vnd.amazon.eventstream',
      'x-amzn-bedrock-content-type': 'application/json',
    },
  })
}

/** Sends a stream frame by frame as it is asked for, notes when the client leaves, and lets a fault strike on the way. */
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
  const leave = (): void => {
    call.aborted = true
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        signal?.addEventListener('abort', () => {
          if (sent >= 0) leave()
          try {
            controller.error(signal.reason)
          } catch {
            // Closed already: the client had everything.
          }
        })
      },
      async pull(controller) {
        if (fault && sent === after && !injected) {
          const { value: next } = await frames.read()
          injected = [...fault.stream(next), ...(fault.end === 'continue' && next ? [next] : [])]
        }
        const extra = injected?.shift()
        if (extra) return controller.enqueue(extra)
        if (injected && fault?.end !== 'continue') {
          if (fault?.end === 'stall') return new Promise(() => {})
          call.status = status
          if (fault?.end === 'reset')
            return controller.error(
              new TypeError('terminated', {
                cause: Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }),
              }),
            )
          sent = -1
          return controller.close()
        }
        const { done, value } = await frames.read()
        sent++
        if (!done) return controller.enqueue(value)
        sent = -1
        controller.close()
      },
      cancel: leave,
    },
    { highWaterMark: 0 },
  )
  return new Response(stream, { status, headers })
}
