import { ConnectionError } from '../errors.ts'
import type { HttpResponse } from '../internal/http.ts'
import { type AttemptContext, waitFor } from './attempt.ts'
import { decodeUtf8 } from '#platform'

/** Reads a response's body chunk by chunk. */
export interface BodyReader {
  /**
   * Returns the next bytes; `undefined` at the end.
   *
   * @throws ConnectionError | TimeoutError | the caller's abort reason
   */
  read(): Promise<Uint8Array | undefined>
  /** Closes the connection if the body was not read to its end. */
  cancel(): undefined
}

// Far larger than any answer of a model.
const maxBodyBytes = 268_435_456

/** Reads a response's body under the idle timeout, which runs only while a read is waiting. */
export function readBody(response: HttpResponse, context: AttemptContext): BodyReader {
  let reader = response.body?.getReader()
  let received = 0
  const cancel = (): undefined => {
    // Closing may fail like reading; nobody waits for it.
    reader?.cancel().catch(() => {})
    reader = undefined
  }
  return {
    cancel,
    read: async () => {
      const open = reader
      if (!open) return undefined
      try {
        const { done, value } = await waitFor(
          'idle',
          context,
          () => 'The connection was lost inside the response',
          () => open.read(),
        )
        if (done || !value) {
          reader = undefined
          return undefined
        }
        received += value.length
        if (received > maxBodyBytes) {
          throw new ConnectionError(`The response is longer than ${maxBodyBytes} bytes`, {
            retryable: false,
            hint: 'Check the endpoint.',
          })
        }
        return value
      } catch (error) {
        cancel()
        throw error
      }
    },
  }
}

/** Reads the rest of a body as text, up to `limit` bytes, and discards what follows. */
export async function readText(body: BodyReader, limit: number = Number.POSITIVE_INFINITY): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for (let chunk = await body.read(); chunk; chunk = size < limit ? await body.read() : body.cancel()) {
    const part = chunk.subarray(0, limit - size)
    chunks.push(part)
    size += part.length
  }
  let [bytes = new Uint8Array()] = chunks
  if (chunks.length > 1) {
    bytes = new Uint8Array(size)
    size = 0
    for (const chunk of chunks) {
      bytes.set(chunk, size)
      size += chunk.length
    }
  }
  // A byte order mark is not part of the text.
  return decodeUtf8(bytes).replace(/^\uFEFF/, '')
}

/** The maximum number of bytes to read of an error. AWS's errors have a few hundred. */
export const maxErrorBytes = 65_536
