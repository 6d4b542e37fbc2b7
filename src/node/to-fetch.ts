import { type HttpTransport, transportOf } from '../core/internal/http.ts'
import { headersToRecord } from '../core/internal/headers.ts'
import { readableFrom } from '../core/internal/readable.ts'
import { onAbort } from '../core/internal/signal.ts'

/** Wraps a transport in a `fetch`. */
export function toFetch(transport: HttpTransport): typeof fetch {
  const send: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    const { method, url, signal } = request
    signal.throwIfAborted()
    const bytes = request.body ? new Uint8Array(await request.arrayBuffer()) : undefined
    const { status, headers, body } = await transport(
      // Fragments are never sent.
      { method, url: url.replace(/#.*/, ''), headers: headersToRecord(request.headers), body: bytes },
      { signal, onAbort: (callback) => onAbort(signal, callback) },
      () => () => {},
    )
    const reader = body?.getReader()
    const stream = reader
      ? readableFrom(
          async () => (await reader.read()).value,
          () => reader.cancel(),
        )
      : null
    return new Response(stream, { status, headers: [...headers] })
  }
  return Object.assign(send, { [transportOf]: transport })
}
