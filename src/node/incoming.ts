import type { ClientRequest, IncomingMessage } from 'node:http'
import { pipeline, type Readable, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { ConnectionError } from '../core/errors.ts'
import type { HttpBodyReader, HttpHeaders, HttpResponse } from '../core/internal/http.ts'

/** Wraps a response that has begun. Call it before any of the body arrives. */
export function toResponse(incoming: IncomingMessage, outgoing: ClientRequest): HttpResponse {
  const { statusCode: status = 0 } = incoming
  const headers = new IncomingHeaders(incoming.headers)
  const coding = incoming.headers['content-encoding']?.trim().toLowerCase() || 'identity'
  const decoder = decoders[coding]?.()
  const source = decoder ? pipeline(incoming, decoder, () => {}) : incoming
  const body = new IncomingBody(source, () => outgoing.destroy())
  // Parser errors are reported on the request.
  outgoing.on('error', (error) => body.fail(error))
  if (!decoder && coding !== 'identity') outgoing.destroy(unknownCoding(coding))
  const hasBody = status !== 204 && status !== 205 && status !== 304
  if (!hasBody) incoming.resume()
  return { ok: status >= 200 && status < 300, status, headers, body: hasBody ? body : null }
}

// The client requests no compression, but some gateways compress anyway.
const decoders: Readonly<Record<string, () => Transform>> = {
  __proto__: null as never,
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
}

function unknownCoding(coding: string): ConnectionError {
  return new ConnectionError(`The response has the unsupported encoding ${JSON.stringify(coding.slice(0, 40))}`, {
    retryable: false,
    hint: 'Something between you and Bedrock compresses responses. Configure it to pass them on unchanged.',
  })
}

/** A response's headers, with the interface of `Headers`. */
export class IncomingHeaders implements HttpHeaders {
  readonly #record: IncomingMessage['headers']

  constructor(record: IncomingMessage['headers']) {
    this.#record = record
  }

  get(name: string): string | null {
    const key = name.toLowerCase()
    return Object.hasOwn(this.#record, key) ? String(this.#record[key]) : null
  }

  forEach(callback: (value: string, name: string, headers: Headers) => void): void {
    for (const name in this.#record) {
      const value = this.#record[name]
      for (const each of Array.isArray(value) ? value : [value ?? '']) callback(each, name, this as never)
    }
  }

  *[Symbol.iterator](): Generator<[string, string]> {
    for (const [name, value] of Object.entries(this.#record)) {
      for (const each of Array.isArray(value) ? value : [value ?? '']) yield [name, each]
    }
  }
}

// The maximum number of unread bytes before the sender has to wait.
const highWaterMark = 65_536

type ReadResult = Awaited<ReturnType<HttpBodyReader['read']>>

/** A pending read of the next chunk. */
interface Reader {
  resolve(result: ReadResult): void
  reject(error: Error): void
}

/** Reads a response's body chunk by chunk, with back pressure. Allows one read at a time. */
export class IncomingBody implements HttpBodyReader {
  readonly #source: Readable
  readonly #destroy: () => void
  #chunks: Buffer[] = []
  #waitingBytes = 0
  #fault: Error | undefined
  #state: 'unread' | 'open' | 'ended' = 'unread'
  #reader: Reader | undefined

  /** @param destroy - closes the connection */
  constructor(source: Readable, destroy: () => void) {
    this.#source = source
    this.#destroy = destroy
    source.on('error', (error) => this.fail(error))
  }

  getReader(): this {
    return this
  }

  read(): Promise<ReadResult> {
    if (this.#state === 'unread') this.#open()
    const value = this.#chunks.shift()
    if (value) {
      this.#waitingBytes -= value.length
      return Promise.resolve({ done: false, value })
    }
    if (this.#fault) return Promise.reject(this.#fault)
    if (this.#state === 'ended') return Promise.resolve({ done: true })
    if (this.#source.isPaused()) this.#source.resume()
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject }
    })
  }

  async cancel(): Promise<void> {
    this.#chunks = []
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#destroy()
  }

  /** Ends the body with an error, after the chunks that have arrived. */
  fail(error: Error): void {
    if (this.#state === 'ended') return
    this.#fault ??= error
    this.#takeReader()?.reject(this.#fault)
  }

  #open(): void {
    this.#state = 'open'
    this.#source
      .on('data', (chunk: Buffer) => this.#take(chunk))
      .on('end', () => this.#end())
      // Emitted at the end in every case.
      .on('close', () => this.fail(new Error('the connection was closed')))
  }

  #take(chunk: Buffer): void {
    const reader = this.#takeReader()
    if (reader) {
      reader.resolve({ done: false, value: chunk })
      return
    }
    this.#chunks.push(chunk)
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes >= highWaterMark) this.#source.pause()
  }

  #end(): void {
    if (this.#fault) return
    this.#state = 'ended'
    this.#takeReader()?.resolve({ done: true })
  }

  #takeReader(): Reader | undefined {
    const reader = this.#reader
    this.#reader = undefined
    return reader
  }
}
