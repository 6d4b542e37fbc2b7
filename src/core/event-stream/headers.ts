import { ConfigurationError, StreamError } from '../errors.ts'
import { hex } from '../internal/bytes.ts'
import type { EventStreamHeaders, EventStreamHeaderValue } from './message.ts'

// Header block: name length (1), name, type (1), then a value whose length follows from the type, or a length (2) and a
// value. The index of a type is its number in the format; `true` and `false` have no value.
const types = ['true', 'false', 'byte', 'short', 'integer', 'long', 'binary', 'string', 'timestamp', 'uuid'] as const
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true })
const fixedLengths: readonly (number | undefined)[] = [0, 0, 1, 2, 4, 8, undefined, undefined, 8, 16]

/** Decodes a message's header block. @throws StreamError `stream_corrupt` */
export function decodeHeaders(block: Uint8Array): EventStreamHeaders {
  return readBlock(block, (type, bytes) => decodeValue(types[type] as (typeof types)[number], bytes))
}

/** Decodes only the text headers of a block, without their types. @throws StreamError `stream_corrupt` */
export function decodeTextHeaders(block: Uint8Array): Readonly<Record<string, string | undefined>> {
  // By number, because every client would bundle the names of the types.
  return readBlock(block, (type, bytes) => (type === 7 ? decodeText(bytes) : undefined))
}

function readBlock<Value>(
  block: Uint8Array,
  decode: (type: number, bytes: Uint8Array) => Value,
): Readonly<Record<string, Value>> {
  const headers = Object.create(null) as Record<string, Value>
  let at = 0
  const take = (length: number): Uint8Array => {
    at += length
    if (at > block.length) throw corrupt('a header overruns its block')
    return block.subarray(at - length, at)
  }
  const takeNumber = (length: number): number => take(length).reduce((number, byte) => number * 256 + byte, 0)
  while (at < block.length) {
    const nameLength = takeNumber(1)
    if (nameLength === 0) throw corrupt('a header has no name')
    const name = decodeText(take(nameLength))
    if (name in headers) throw corrupt('a header appears twice')
    const type = takeNumber(1)
    if (type >= fixedLengths.length) throw corrupt(`a header has the unknown type ${type}`)
    headers[name] = decode(type, take(fixedLengths[type] ?? takeNumber(2)))
  }
  return Object.freeze(headers)
}

function decodeValue(type: (typeof types)[number], bytes: Uint8Array): EventStreamHeaderValue {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  switch (type) {
    case 'true':
    case 'false':
      return { type: 'boolean', value: type === 'true' }
    case 'byte':
      return { type, value: view.getInt8(0) }
    case 'short':
      return { type, value: view.getInt16(0) }
    case 'integer':
      return { type, value: view.getInt32(0) }
    case 'long':
      return { type, value: view.getBigInt64(0) }
    case 'binary':
      return { type, value: bytes }
    case 'string':
      return { type, value: decodeText(bytes) }
    case 'timestamp':
      return { type, value: new Date(Number(view.getBigInt64(0))) }
    case 'uuid':
      return { type, value: hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-') }
  }
}

function decodeText(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw corrupt('a header is not UTF-8')
  }
}

/** Encodes a header block. @throws ConfigurationError for a value that does not match its type. */
export function encodeHeaders(headers: EventStreamHeaders): Uint8Array {
  const bytes: number[] = []
  const encoder = new TextEncoder()
  for (const [name, header] of Object.entries(headers)) {
    const nameBytes = encoder.encode(name)
    if (nameBytes.length < 1 || nameBytes.length > 255)
      throw new ConfigurationError(`A header's name must have 1 to 255 bytes: ${JSON.stringify(name)}`)
    const type = header.type === 'boolean' ? (header.value ? 'true' : 'false') : header.type
    const value = encodeValue(name, header, encoder)
    if (value.length > 65_535) throw new ConfigurationError(`The header ${name} is longer than 65535 bytes`)
    const length = fixedLengths[types.indexOf(type)] === undefined ? [value.length >> 8, value.length & 255] : []
    bytes.push(nameBytes.length, ...nameBytes, types.indexOf(type), ...length)
    for (const byte of value) bytes.push(byte)
  }
  return Uint8Array.from(bytes)
}

function encodeValue(name: string, { type, value }: EventStreamHeaderValue, encoder: TextEncoder): Uint8Array {
  const view = new DataView(new ArrayBuffer(8))
  const integer = (size: 1 | 2 | 4): Uint8Array => {
    const limit = 2 ** (size * 8 - 1)
    if (!Number.isInteger(value) || (value as number) < -limit || (value as number) >= limit) {
      throw new ConfigurationError(`The header ${name} is not a ${type}: ${String(value)}`)
    }
    view.setInt32(0, (value as number) << (32 - size * 8))
    return new Uint8Array(view.buffer, 0, size)
  }
  switch (type) {
    case 'boolean':
      return new Uint8Array()
    case 'byte':
      return integer(1)
    case 'short':
      return integer(2)
    case 'integer':
      return integer(4)
    case 'long':
    case 'timestamp': {
      const long = type === 'long' ? value : BigInt(value.getTime())
      if (BigInt.asIntN(64, long) !== long) throw new ConfigurationError(`The header ${name} is not a ${type}`)
      view.setBigInt64(0, long)
      return new Uint8Array(view.buffer)
    }
    case 'binary':
      return value
    case 'string':
      return encoder.encode(value)
    case 'uuid': {
      const digits = value.replaceAll('-', '')
      if (!/^[\da-f]{32}$/i.test(digits)) throw new ConfigurationError(`The header ${name} is not a uuid`)
      return Uint8Array.from(digits.match(/../g) as string[], (pair) => Number.parseInt(pair, 16))
    }
  }
}

/** Creates the error for damaged bytes. */
export function corrupt(what: string): StreamError {
  return new StreamError('stream_corrupt', `The event stream is damaged: ${what}`)
}
