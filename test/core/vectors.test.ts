// Conformance data that is not part of the project: OUTCROP_VECTORS names its folder. Skipped where there is none.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeEventStream, encodeEventStreamMessage } from 'outcrop/event-stream'
import { signRequest } from 'outcrop/sigv4'
import { describe, expect, test } from 'vitest'

const folder = process.env.OUTCROP_VECTORS ?? ''
const isThere = folder !== '' && existsSync(join(folder, 'bedrock-cases.json'))
const load = (name: string) =>
  isThere ? JSON.parse(readFileSync(join(folder, name), 'utf8')) : { cases: [], vectors: [] }

type Pair = [name: string, value: string]
const added = /^(host|x-amz-date|x-amz-security-token)$/i
const dateOf = (amzDate: string): Date =>
  new Date(amzDate.replace(/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/, '$1-$2-$3T$4:$5:$6Z'))

describe.skipIf(!isThere)('vectors', () => {
  test('signs 200 Bedrock requests byte for byte like botocore', async () => {
    const { cases } = load('bedrock-cases.json')
    expect(cases).toHaveLength(200)
    for (const { id, wire, signedHeaders, credentials, region, service, amzDate, authorization } of cases) {
      const { body: form } = wire
      const body =
        'utf8' in form
          ? Buffer.from(form.utf8)
          : 'base64' in form
            ? Buffer.from(form.base64, 'base64')
            : Buffer.from(form.unit.repeat(form.count))
      const signed = signedHeaders.split(';')
      const headers = wire.headers.filter(([name]: Pair) => signed.includes(name.toLowerCase()) && !added.test(name))
      const url = `${wire.scheme}://${wire.host}${wire.path}${wire.query ? `?${wire.query}` : ''}`
      const result = await signRequest(
        { method: wire.method, url, headers, body },
        { identity: credentials, region, service, date: dateOf(amzDate) },
      )
      expect(result.headers.authorization, id).toBe(authorization)
    }
  })

  test('signs the published SigV4 cases that a URL can express', async () => {
    const cases = load('sigv4-cases.json').cases.filter(
      ({
        flags,
        request: { path, query },
      }: {
        flags: Record<string, boolean>
        request: { path: string; query: string }
      }) =>
        flags.doubleEncode &&
        !flags.omitSessionToken &&
        new URL(`https://h${path}`).pathname === path &&
        !/[^\x21-\x7e]/.test(path + query) &&
        !path.includes('//'),
    )
    expect(cases.length).toBeGreaterThanOrEqual(25)
    for (const { name, request, flags, credentials, region, service, amzDate, header } of cases) {
      const host = request.headers.find(([name]: Pair) => /^host$/i.test(name))[1]
      const payloadHash: Pair[] = flags.signBody
        ? [['x-amz-content-sha256', createHash('sha256').update(request.body).digest('hex')]]
        : []
      const headers = [...request.headers.filter(([name]: Pair) => !added.test(name)), ...payloadHash]
      const result = await signRequest(
        {
          method: request.method,
          url: `https://${host}${request.path}${request.query ? `?${request.query}` : ''}`,
          headers,
          body: request.body,
        },
        { identity: credentials, region, service, date: dateOf(amzDate) },
      )
      expect(result.canonicalRequest, name).toBe(header.canonicalRequest)
      expect(result.headers.authorization, name).toBe(header.authorization)
    }
  })

  const { vectors } = load('eventstream-vectors.json')
  interface Vector {
    readonly name: string
    readonly level?: string
    readonly data?: string
    readonly parts?: { hex?: string; count: number; byte: number }[]
    readonly expect: {
      ok: boolean
      before: number
      messages: { headers: { name: string; type: string; value: unknown }[]; payload: string }[]
    }
  }
  const bytesOf = ({ data, parts = [] }: Vector): Buffer =>
    data === undefined
      ? Buffer.concat(
          parts.map(({ hex, count, byte }) =>
            hex === undefined ? Buffer.alloc(count, byte) : Buffer.from(hex, 'hex'),
          ),
        )
      : Buffer.from(data, 'hex')
  const plain = (value: unknown): string =>
    value instanceof Date
      ? String(value.getTime())
      : value instanceof Uint8Array
        ? Buffer.from(value).toString('hex')
        : String(value)

  test.each((vectors as Vector[]).map((vector) => [vector.name, vector] as const))(
    'decodes the event stream: %s',
    async (_, vector) => {
      const bytes = bytesOf(vector)
      for (const size of bytes.length > 20_000 ? [bytes.length, 65_536] : [bytes.length || 1, 1, 7, 16]) {
        const messages: unknown[] = []
        let error: unknown
        try {
          const source = (async function* () {
            for (let i = 0; i < bytes.length; i += size) yield new Uint8Array(bytes.subarray(i, i + size))
          })()
          for await (const { headers, payload } of decodeEventStream(source)) {
            messages.push({
              headers: Object.entries(headers)
                .map(([name, { type, value }]) => [name, type, plain(value)])
                .sort(),
              payload: Buffer.from(payload).toString('hex'),
            })
          }
        } catch (caught) {
          error = caught
        }
        if (!vector.expect.ok) {
          expect(error, `by ${size}`).toMatchObject({ name: 'StreamError' })
          expect(messages.length).toBeLessThanOrEqual(vector.expect.before)
          continue
        }
        if (error) throw error
        expect(messages, `by ${size}`).toEqual(
          vector.expect.messages.map(({ headers, payload }) => ({
            headers: headers.map(({ name, type, value }) => [name, type, String(value)]).sort(),
            payload,
          })),
        )
      }
    },
  )

  test('encodes decoded messages to the same bytes', async () => {
    let count = 0
    for (const vector of vectors as Vector[]) {
      // Objects put numeric names first.
      if (
        !vector.expect.ok ||
        vector.expect.messages.length !== 1 ||
        vector.expect.messages[0]?.headers.some(({ name }) => /^\d+$/.test(name))
      )
        continue
      const bytes = bytesOf(vector)
      for await (const message of decodeEventStream(
        (async function* () {
          yield new Uint8Array(bytes)
        })(),
      )) {
        expect(Buffer.from(encodeEventStreamMessage(message)).equals(bytes), vector.name).toBe(true)
        count++
      }
    }
    expect(count).toBeGreaterThan(40)
  })
})
