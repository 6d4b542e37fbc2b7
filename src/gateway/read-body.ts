import { RefusedRequest } from '../anthropic/errors.ts'

/** Reads a request's body unchanged. @throws RefusedRequest for one that is too long, as soon as possible */
export async function readBody({ body, headers }: Request, limit: number): Promise<Uint8Array> {
  if (Number(headers.get('content-length')) > limit) throw tooLarge(limit)
  const chunks: Uint8Array[] = []
  let size = 0
  const reader = body?.getReader()
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
    if (done) break
    size += value.length
    if (size > limit) {
      reader?.cancel().catch(() => {})
      throw tooLarge(limit)
    }
    chunks.push(value)
  }
  if (chunks.length === 1) return chunks[0] as Uint8Array
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

function tooLarge(limit: number): RefusedRequest {
  return new RefusedRequest(413, `Request exceeds the maximum size of ${limit} bytes`)
}
