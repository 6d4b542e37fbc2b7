import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject } from '../core/types.ts'
import { RefusedRequest } from './errors.ts'

/** The arguments of `fetch`. */
export interface IncomingRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly signal: AbortSignal | undefined
  /** Reads the body, which must be a JSON object. @throws RefusedRequest */
  json(): Promise<JsonObject>
}

/** Reads the arguments of `fetch`. A `Request` may come from another realm, so it is detected by its members. */
export function readRequest(
  input: RequestInfo | URL,
  init: RequestInit | undefined,
  maxBodySize: number,
): IncomingRequest {
  const request = typeof input === 'object' && 'url' in input ? input : undefined
  const headers = readHeaders(init?.headers ?? request?.headers)
  return {
    method: (init?.method ?? request?.method ?? 'GET').toUpperCase(),
    url: parseUrl(request?.url ?? String(input)),
    headers,
    signal: init?.signal ?? request?.signal ?? undefined,
    json: async () => {
      const body = init?.body === undefined ? request?.body : init.body
      const encoding = headers.get('content-encoding')?.trim().toLowerCase() || 'identity'
      const isPlain = encoding === 'identity'
      return parseBody(await (isPlain ? readText(body, maxBodySize) : readCompressed(body, encoding, maxBodySize)))
    },
  }
}

function parseUrl(text: string): URL {
  // A server may pass only a path.
  if (URL.canParse(text, 'http://localhost')) return new URL(text, 'http://localhost')
  throw new RefusedRequest(404, 'Not a URL')
}

function readHeaders(given: HeadersInit | undefined): Headers {
  try {
    return new Headers(given)
  } catch {
    throw new RefusedRequest(400, 'A header has a name or value that is not allowed in HTTP')
  }
}

const formats: ReadonlyMap<string, CompressionFormat> = new Map([
  ['gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate', 'deflate'],
])

/**
 * Reads a compressed body. The compressed size has its own limit, because it may decompress to nothing.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#name-content-codings
 */
async function readCompressed(body: BodyInit | null | undefined, encoding: string, limit: number): Promise<string> {
  const format = formats.get(encoding)
  if (!format || typeof DecompressionStream === 'undefined') {
    throw new RefusedRequest(400, 'The Content-Encoding of the request is not supported', {
      details: { error_code: 'request_body_encoding_unsupported' },
    })
  }
  const pieces: BlobPart[] = []
  for await (const piece of readBytes(body, limit)) pieces.push(piece as BlobPart)
  try {
    return await readText(new Blob(pieces).stream().pipeThrough(new DecompressionStream(format)), limit)
  } catch (error) {
    throw error instanceof RefusedRequest ? error : new RefusedRequest(400, `The request body is not ${format}`)
  }
}

async function readText(body: BodyInit | null | undefined, limit: number): Promise<string> {
  if (typeof body === 'string') {
    // A character has at most three bytes.
    if (body.length > limit || (body.length * 3 > limit && new TextEncoder().encode(body).length > limit))
      tooLarge(limit)
    return body
  }
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const decode = (bytes?: Uint8Array): string => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined })
    } catch {
      throw new RefusedRequest(400, 'The request body is not UTF-8')
    }
  }
  let text = ''
  for await (const bytes of readBytes(body, limit)) text += decode(bytes)
  return text + decode()
}

/** Reads a body piece by piece. @throws RefusedRequest for more than `limit` bytes. */
export async function* readBytes(body: BodyInit | null | undefined, limit: number): AsyncGenerator<Uint8Array> {
  const reader = new Response(body ?? null).body?.getReader()
  for (let size = 0; reader; ) {
    const { done, value } = await reader.read()
    if (done) return
    size += value.length
    if (size > limit) {
      reader.cancel().catch(() => {})
      tooLarge(limit)
    }
    yield value
  }
}

export function tooLarge(limit: number): never {
  throw new RefusedRequest(413, `Request exceeds the maximum size of ${limit} bytes`)
}

function parseBody(text: string): JsonObject {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch (error) {
    // The parser's message may quote the body, which is the client's own.
    throw new RefusedRequest(400, `The request body is not valid JSON: ${(error as Error).message}`)
  }
  if (!isJsonObject(body)) throw new RefusedRequest(400, 'The request body must be a JSON object')
  return body
}
