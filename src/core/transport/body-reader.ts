import { ConnectionError } from '../errors.ts'
import type { HttpResponse } from '../internal/http.ts'
import { type AttemptContext, waitFor } from './attempt.ts'
import { decodeUtf8 } from '#platform'

/** A response's body, read chunk by chunk. */
export interface BodyReader {
  /** The next bytes; `undefined` at the end. @throws ConnectionError | TimeoutError | the caller's abort reason */
  read(): Promise<Uint8Array | undefined>
  /** Closes the connection when the body was not read to its end. */
  cancel(): undefined
}

// No answer of a model comes near this; what does is not one.
const maxBodyBytes = 268_435_456

/** Reads a response's body under the idle deadline, which runs while a read is waiting and not while the reader is. */
export function readBody(response: HttpResponse, context: AttemptContext): BodyReader {
  let reader = response.body?.getReader()
  let received = 0
  const cancel = (): undefined => {
    // Whoever made the body may fail to close it as well as it may fail to deliver it; nobody waits for either.
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
            hint: 'Check the endpoint: Bedrock sends no response that long.',
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

/** Reads the rest of a body as text: all of it, or as much as `limit` bytes, and lets go of what comes after. */
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
  // A byte order mark is no part of the text.
  return decodeUtf8(bytes).replace(/^\uFEFF/, '')
}

/** How much of an error is read, in bytes: AWS's have a few hundred. */
export const maxErrorBytes = 65_536
