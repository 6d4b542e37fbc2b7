import { readBytes, tooLarge } from '../anthropic/read-request.ts'

/** Reads a request's body unchanged. @throws RefusedRequest for one that is too long, as soon as possible */
export async function readBody({ body, headers }: Request, limit: number): Promise<Uint8Array> {
  if (Number(headers.get('content-length')) > limit) tooLarge(limit)
  const chunks: Uint8Array[] = []
  for await (const chunk of readBytes(body, limit)) chunks.push(chunk)
  if (chunks.length === 1) return chunks[0] as Uint8Array
  const bytes = new Uint8Array(chunks.reduce((size, { length }) => size + length, 0))
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
