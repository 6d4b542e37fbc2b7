import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import type { AwsCredentialIdentity } from 'outcrop'
import { presignUrl, signRequest } from 'outcrop/sigv4'
import { describe, expect, test } from 'vitest'

const unreserved = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_.~'), minLength: 1, maxLength: 12 })
const anything = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
const identity = fc.record({
  accessKeyId: fc.string({ unit: fc.constantFrom(...'ABCDEFGHIJ0123456789'), minLength: 4, maxLength: 20 }),
  secretAccessKey: fc.string({ minLength: 1, maxLength: 40 }).filter((text) => text.trim() !== ''),
  sessionToken: fc.option(fc.base64String({ minLength: 4, maxLength: 200 }), { nil: undefined }),
})
// Documented differences of smithy: it signs a given `host`, returns each repeated query key in an array,
// and never signs `authorization`, `cache-control`, `from`, `keep-alive`, `pragma`, `referer` and some more.
const headerName = fc
  .string({ unit: fc.constantFrom(...'abcdefghij-'), minLength: 1, maxLength: 10 })
  .map((name) => `x-test-${name}`)
const headerValue = fc.string({ unit: fc.constantFrom(...'abc XYZ,;=/"0189'), maxLength: 30 })

const request = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
  segments: fc.array(
    fc
      .oneof(unreserved, anything)
      .map(encodeURIComponent)
      .filter((text) => !/^\.+$/.test(text)),
    { minLength: 1, maxLength: 4 },
  ),
  query: fc.dictionary(unreserved, fc.array(fc.oneof(unreserved, anything), { minLength: 1, maxLength: 3 }), {
    maxKeys: 4,
  }),
  headers: fc.dictionary(headerName, headerValue, { maxKeys: 5 }),
  body: fc.oneof(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.uint8Array({ maxLength: 200 })),
  date: fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true }),
  region: fc.constantFrom('us-east-1', 'eu-central-1', 'us-gov-west-1', 'cn-north-1'),
  service: fc.constantFrom('bedrock', 'sts', 'execute-api'),
})

const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

describe('compared with @smithy/signature-v4 and @aws-crypto/sha256-js', () => {
  test('signs 1,000 requests the same', async () => {
    await fc.assert(
      fc.asyncProperty(
        identity,
        request,
        async (credentials, { method, segments, query, headers, body, date, region, service }) => {
          const path = `/${segments.join('/')}`
          const url = urlOf(path, query)
          const ours = await signRequest(
            { method, url, headers, body },
            { identity: credentials, region, service, date },
          )
          const signer = signerOf(credentials, region, service)
          const theirs = await signer.sign(
            {
              method,
              protocol: 'https:',
              hostname: 'example.com',
              path,
              query,
              headers: { ...headers, host: 'example.com' },
              body,
            },
            { signingDate: date },
          )
          expect(ours.headers.authorization).toBe(theirs.headers.authorization)
          expect(ours.headers['x-amz-date']).toBe(theirs.headers['x-amz-date'])
        },
      ),
      { numRuns: 1_000 },
    )
  })

  test('presigns 1,000 URLs the same', async () => {
    await fc.assert(
      fc.asyncProperty(
        identity,
        request,
        fc.integer({ min: 1, max: 604_800 }),
        async (credentials, { method, query, date, region, service }, expiresIn) => {
          const url = urlOf('/', query)
          const ours = await presignUrl({ method, url, expiresIn }, { identity: credentials, region, service, date })
          const signer = signerOf(credentials, region, service)
          const theirs = await signer.presign(
            { method, protocol: 'https:', hostname: 'example.com', path: '/', query, headers: { host: 'example.com' } },
            { signingDate: date, expiresIn },
          )
          expect(new URL(ours).searchParams.get('X-Amz-Signature')).toBe(
            (theirs.query as Record<string, string>)['X-Amz-Signature'],
          )
        },
      ),
      { numRuns: 1_000 },
    )
  })
})

function urlOf(path: string, query: Readonly<Record<string, readonly string[]>>): string {
  const pairs = Object.entries(query).flatMap(([name, values]) =>
    values.map((value) => `${encode(name)}=${encode(value)}`),
  )
  return `https://example.com${path}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`
}

function signerOf(
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentialIdentity,
  region: string,
  service: string,
): SignatureV4 {
  const credentials = { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }
  return new SignatureV4({ credentials, region, service, sha256: Sha256, applyChecksum: false })
}

describe('signRequest', () => {
  const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example' }
  const scope = { identity: keys, region: 'us-east-1', service: 'bedrock', date: new Date('2026-11-20T12:00:00Z') }
  const url = 'https://bedrock-runtime.us-east-1.amazonaws.com/model/a%3Ab/invoke'

  test('encodes a path once more than it is sent', async () => {
    const { canonicalRequest } = await signRequest({ url: `${url}?x=%2F` }, scope)
    expect(canonicalRequest.split('\n')[1]).toBe('/model/a%253Ab/invoke')
  })

  test('sends headers that proxies rewrite, but does not sign them', async () => {
    const given = {
      connection: 'keep-alive',
      expect: '100-continue',
      'transfer-encoding': 'chunked',
      'user-agent': 'test',
      'x-amzn-trace-id': 'Root=1',
      traceparent: '00',
      tracestate: 'a',
      baggage: 'b',
      'x-amzn-bedrock-trace': 'ENABLED',
    }
    const { headers } = await signRequest({ url, headers: given }, scope)
    expect(headers).toMatchObject(given)
    expect(/SignedHeaders=([^,]+)/.exec(headers.authorization as string)?.[1]).toBe(
      'host;x-amz-date;x-amzn-bedrock-trace',
    )
  })

  test('joins repeated headers, replaces a given date, and rejects a given authorization', async () => {
    const { headers } = await signRequest(
      {
        url,
        headers: [
          ['A', ' 1 '],
          ['a', '2'],
          ['X-Amz-Date', 'old'],
        ],
      },
      scope,
    )
    expect(headers).toMatchObject({ a: '1,2', 'x-amz-date': '20261120T120000Z' })
    await expect(signRequest({ url, headers: { Authorization: 'x' } }, scope)).rejects.toMatchObject({
      code: 'configuration',
    })
  })

  test('returns the host that it signs, given or from the URL', async () => {
    const own = await signRequest({ url }, scope)
    expect(own.headers.host).toBe('bedrock-runtime.us-east-1.amazonaws.com')
    const given = await signRequest({ url, headers: { Host: 'proxy.example' } }, scope)
    expect(given.headers.host).toBe('proxy.example')
    expect(given.canonicalRequest).toContain('\nhost:proxy.example\n')
  })

  test('replaces a given session token, or removes it from keys without one', async () => {
    const request = { url, headers: { 'X-Amz-Security-Token': 'stale' } }
    const identity = { ...keys, sessionToken: 'session-example' }
    expect((await signRequest(request, { ...scope, identity })).headers['x-amz-security-token']).toBe('session-example')
    const { headers, canonicalRequest } = await signRequest(request, scope)
    expect(headers).not.toHaveProperty('x-amz-security-token')
    expect(canonicalRequest).not.toContain('stale')
  })

  const linesOf = async (url: string) => (await signRequest({ url }, scope)).canonicalRequest.split('\n')

  test.each([
    ['https://host.example', 'host.example'],
    ['https://HOST.example:443/', 'host.example'],
    ['https://host.example:80/', 'host.example:80'],
    ['http://host.example:80/', 'host.example'],
    ['http://host.example:443/', 'host.example:443'],
    ['https://host.example:4430/', 'host.example:4430'],
    ['http://host.example:8080/', 'host.example:8080'],
    ['https://me:and@you@host.example/', 'host.example'],
    ['HTTPS://host.example?x', 'host.example'],
  ])('signs %s for the host %s', async (url, host) => {
    const lines = await linesOf(url)
    expect(lines[1]).toBe('/')
    expect(lines[3]).toBe(`host:${host}`)
  })

  test.each(['', '/model/x', '//host.example/', 'host.example', 'ftp://host.example/', 'https://', 'x https://host/'])(
    'rejects the URL %j',
    async (given) => {
      await expect(signRequest({ url: given }, scope)).rejects.toMatchObject({ code: 'configuration' })
    },
  )

  test.each([
    ['', ''],
    ['b=2&a=1', 'a=1&b=2'],
    ['a=2&a=10&a=', 'a=&a=10&a=2'],
    ['&&a=1&&', 'a=1'],
    ['flag', 'flag='],
    ['=value', '=value'],
    ['a==', 'a=%3D'],
    ['a=%2f%7e%41%2D', 'a=%2F~A-'],
    ['a=é!*(', 'a=%C3%A9%21%2A%28'],
    ['a=+', 'a=%2B'],
    ['a=%zz', 'a=%25zz'],
    ['a=100%', 'a=100%25'],
    ['a=1#b=2', 'a=1'],
  ])('canonicalizes the query %j as %j', async (query, canonical) => {
    expect((await linesOf(`https://host.example/?${query}`))[2]).toBe(canonical)
  })

  test('uses GET without a body, and POST with one', async () => {
    expect((await signRequest({ url }, scope)).canonicalRequest).toMatch(/^GET\n/)
    expect((await signRequest({ url, body: '' }, scope)).canonicalRequest).toMatch(/^POST\n/)
  })

  test.each([
    [{ identity: { token: 'x' } }, /AWS keys/],
    [{ identity: { ...keys, token: 'x' } }, /AWS keys/],
    [{ identity: { ...keys, accessKeyId: '' } }, /AWS keys/],
    [{ identity: { ...keys, secretAccessKey: '' } }, /AWS keys/],
    [{ identity: { ...keys, accessKeyId: 'AKID\n' } }, /HTTP does not allow/],
    [{ identity: { ...keys, sessionToken: 'a\nb' } }, /HTTP does not allow/],
    [{ region: '' }, /region/],
    [{ service: '' }, /service/],
    [{ date: new Date(Number.NaN) }, /date/],
  ])('rejects an incomplete scope', async (change, message) => {
    await expect(signRequest({ url }, { ...scope, ...change })).rejects.toThrow(message)
  })
})
