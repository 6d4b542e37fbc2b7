import { deflateSync, gzipSync } from 'node:zlib'
import { anthropicFetch } from 'outcrop/anthropic'
import { describe, expect, test } from 'vitest'
import { connect, params, post } from './support.ts'

const url = 'https://api.anthropic.com/v1/messages'
const refusal = async (response: Response | Promise<Response>) => {
  const answer = await response
  const { type, error } = await answer.json()
  expect(type).toBe('error')
  return { status: answer.status, ...error } as { status: number; type: string; message: string }
}

describe('routes', () => {
  test.each([
    'https://api.anthropic.com/v1/messages',
    'https://api.anthropic.com/v1/messages?beta=true',
    'https://api.anthropic.com/v1/messages/',
    'http://127.0.0.1:8787/some/base/path/v1/messages',
    'https://example/messages',
    '/v1/messages',
  ])('POST %s is accepted', async (address) => {
    const { fetch } = connect()
    const response = await fetch(address, { method: 'POST', body: JSON.stringify(params) })
    expect(await response.json()).toMatchObject({ type: 'message' })
  })

  test.each(['2023-06-01', '2026-10-21', undefined])('anthropic-version %s is accepted', async (version) => {
    const { fetch, fake } = connect()
    await post(fetch, params, { headers: version === undefined ? {} : { 'anthropic-version': version } })
    expect(fake.calls[0]?.body.anthropic_version).toBe('bedrock-2023-05-31')
  })

  test.each([
    ['a Request', (body: string) => [new Request(url, { method: 'POST', body })]],
    ['a URL and bytes', (body: string) => [new URL(url), { method: 'post', body: new TextEncoder().encode(body) }]],
    ['a stream', (body: string) => [url, { method: 'POST', body: new Blob([body]).stream(), duplex: 'half' }]],
    ['pairs of headers', (body: string) => [url, { method: 'POST', body, headers: [['anthropic-beta', 'a']] }]],
    ['a Request and changes', (body: string) => [new Request(url, { method: 'POST', body: '{}' }), { body }]],
  ] as const)('accepts the arguments of fetch: %s', async (_, args) => {
    const { fetch } = connect()
    const response = await fetch(...(args(JSON.stringify(params)) as unknown as Parameters<typeof fetch>))
    expect(await response.json()).toMatchObject({ type: 'message' })
  })

  test.each([
    ['POST', '/v1/messages/batches', /batches/],
    ['GET', '/v1/messages/batches/msgbatch_1/results', /batches/],
    ['POST', '/v1/files?beta=true', /Files/],
    ['GET', '/v1/files/file_1/content', /Files/],
    ['GET', '/v1/skills', /Skills/],
    ['GET', '/v1/organizations/me', /Not found/],
    ['HEAD', '/api/hello', /Not found/],
    ['GET', '/v1/models/%zz', /Not found/],
    ['GET', '/', /Not found/],
  ])('%s %s is answered with 404 and a reason', async (method, path, message) => {
    const { fetch, fake } = connect()
    const answer = await refusal(fetch(`https://api.anthropic.com${path}`, { method }))
    expect(answer).toMatchObject({ status: 404, type: 'not_found_error', message: expect.stringMatching(message) })
    expect(fake.calls).toEqual([])
  })

  test.each([
    ['GET', '/v1/messages', 'POST'],
    ['DELETE', '/v1/messages', 'POST'],
    ['GET', '/v1/messages/count_tokens', 'POST'],
    ['POST', '/v1/models', 'GET'],
    ['PUT', '/v1/models/sonnet', 'GET'],
  ])('%s %s is answered with 405', async (method, path, allow) => {
    const { fetch } = connect()
    const response = await fetch(`https://api.anthropic.com${path}`, { method })
    expect(response.headers.get('allow')).toBe(allow)
    expect(await refusal(response)).toMatchObject({ status: 405, type: 'invalid_request_error' })
  })
})

describe('parameters', () => {
  test('betas of header and body are merged without duplicates', async () => {
    const { fetch, fake } = connect()
    await post(
      fetch,
      { ...params, anthropic_beta: ['context-management-2025-06-27'] },
      { headers: { 'anthropic-beta': ' interleaved-thinking-2025-05-14 ,,context-management-2025-06-27' } },
    )
    expect(fake.calls[0]?.body.anthropic_beta).toEqual([
      'context-management-2025-06-27',
      'interleaved-thinking-2025-05-14',
    ])
    await post(fetch, params, { headers: { 'anthropic-beta': ' , ' } })
    expect(fake.calls[1]?.body).not.toHaveProperty('anthropic_beta')
  })

  test('adaptations are listed in a header', async () => {
    const { fetch } = connect()
    const body = { ...params, model: 'claude-opus-5', temperature: 1, output_config: { format: {} }, stream: false }
    for (const stream of [false, true]) {
      const response = await post(fetch, { ...body, stream }, { headers: { 'anthropic-beta': 'effort-2025-11-24' } })
      expect(response.headers.get('x-outcrop-adaptations')).toBe(
        'removed output_config.format, removed temperature, removed anthropic_beta:effort-2025-11-24',
      )
      await response.body?.cancel()
    }
    expect((await post(fetch, params)).headers.has('x-outcrop-adaptations')).toBe(false)
  })

  test('callOptions apply to all calls, or depend on the call', async () => {
    const { bedrock, fake } = connect()
    await post(anthropicFetch(bedrock, { callOptions: { headers: { 'x-team': 'a' } } }), params)
    const each = anthropicFetch(bedrock, {
      callOptions: async ({ headers }) => ({ headers: { 'x-team': headers.get('x-api-key') ?? '' } }),
    })
    await post(each, params, { headers: { 'x-api-key': 'b' } })
    expect(fake.calls.map(({ headers }) => headers['x-team'])).toEqual(['a', 'b'])
  })

  test("a signal in callOptions ends the call like the request's", async () => {
    for (const which of ['request', 'callOptions']) {
      const { bedrock, fake } = connect()
      fake.fail('stall')
      const [request, own] = [new AbortController(), new AbortController()]
      const call = post(anthropicFetch(bedrock, { callOptions: { signal: own.signal } }), params, {
        signal: request.signal,
      })
      await expect.poll(() => fake.calls.length).toBe(1)
      const reason = new Error(which)
      if (which === 'request') {
        request.abort(reason)
        await expect(call).rejects.toBe(reason)
      } else {
        own.abort(reason)
        expect((await call).status).toBe(500)
      }
      expect(fake.calls[0]?.aborted).toBe(true)
    }
  })

  test('count_tokens is refused for a model that Bedrock does not count, or estimated and marked', async () => {
    const { bedrock } = connect()
    const count = (fetch: typeof globalThis.fetch) =>
      fetch(`${url}/count_tokens`, { method: 'POST', body: JSON.stringify({ ...params, model: 'claude-opus-5' }) })
    expect(await refusal(count(anthropicFetch(bedrock)))).toMatchObject({ status: 400 })
    const estimated = await count(anthropicFetch(bedrock, { estimateTokens: true }))
    expect(await estimated.json()).toEqual({ input_tokens: expect.any(Number), estimated: true })
  })

  test.each([
    [
      'a model that is an object',
      { ...params, model: { id: 'us.anthropic.claude-opus-4-6', source: 'explicit' } },
      /model/,
    ],
    ['no model', { ...params, model: undefined }, /model/],
    ['an endless model name', { ...params, model: 'a'.repeat(1e6) }, /model/],
    ['no max_tokens', { ...params, max_tokens: undefined }, /max_tokens/],
    ['no messages', { ...params, messages: [] }, /messages/],
    ['a stream that is a string', { ...params, stream: 'yes' }, /stream/],
    ['betas in the body', { ...params, betas: ['a'] }, /betas/],
    ['a list', [], /JSON object/],
    ['a string', '"text"', /JSON object/],
    ['null', 'null', /JSON object/],
    ['invalid JSON', '{"model":', /not valid JSON/],
    ['an empty body', '', /not valid JSON/],
  ])('refuses %s before anything is sent', async (_, body, message) => {
    const { fetch, fake } = connect()
    const answer = await refusal(post(fetch, body))
    expect(answer).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      message: expect.stringMatching(message),
    })
    expect(answer.message.length).toBeLessThan(300)
    expect(fake.calls).toEqual([])
  })
})

describe('hostile requests', () => {
  test('refuses a body beyond the limit, in any form', async () => {
    const { bedrock, fake } = connect()
    const fetch = anthropicFetch(bedrock, { maxBodySize: 1000 })
    const text = JSON.stringify({ ...params, system: 'ü'.repeat(450) })
    for (const body of [text, new TextEncoder().encode(text), new Blob([text]).stream()]) {
      const response = fetch(url, { method: 'POST', body, duplex: 'half' } as RequestInit)
      expect(await refusal(response)).toMatchObject({ status: 413, type: 'request_too_large' })
    }
    expect(fake.calls).toEqual([])
    const fits = JSON.stringify({ ...params, system: 'ü'.repeat(400) })
    expect((await fetch(url, { method: 'POST', body: fits })).status).toBe(200)
  })

  test('does not read an endless body to its end', async () => {
    const { bedrock } = connect()
    let isCancelled = false
    const body = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1000)),
      cancel: () => {
        isCancelled = true
      },
    })
    const response = anthropicFetch(bedrock, { maxBodySize: 10_000 })(url, {
      method: 'POST',
      body,
      duplex: 'half',
    } as RequestInit)
    expect(await refusal(response)).toMatchObject({ status: 413 })
    expect(isCancelled).toBe(true)
  })

  test.each([1_000, 100_000, 2_000_000])('refuses JSON nested %i deep', async (depth) => {
    const { fetch } = connect()
    const body = `{"model":"sonnet","max_tokens":1,"messages":${'['.repeat(depth)}${']'.repeat(depth)}}`
    const answer = await post(fetch, body)
    if (depth > 1_000) expect(await refusal(answer)).toMatchObject({ status: 400, type: 'invalid_request_error' })
    else expect([200, 400]).toContain(answer.status)
  })

  test.each([
    ['bytes that are not UTF-8', { body: new Uint8Array([0x7b, 0xff, 0x7d]) }, 400],
    ['a body that is not gzip', { body: 'x', headers: { 'content-encoding': 'gzip' } }, 400],
    ['an unknown content coding', { body: 'x', headers: { 'content-encoding': 'br' } }, 400],
    ['several content codings', { body: 'x', headers: { 'content-encoding': 'gzip, gzip' } }, 400],
    ['an invalid header value', { body: '{}', headers: { 'x-a': 'a\nb' } }, 400],
    ['a header without a name', { body: '{}', headers: { '': 'a' } }, 400],
    ['endless betas', { body: JSON.stringify(params), headers: { 'anthropic-beta': 'a,'.repeat(1e6) } }, 400],
  ])('refuses %s', async (_, init, status) => {
    const { fetch, fake } = connect()
    expect(await refusal(fetch(url, { method: 'POST', ...init }))).toMatchObject({
      status,
      type: 'invalid_request_error',
    })
    expect(fake.calls).toEqual([])
  })

  test('treats names such as __proto__ as ordinary', async () => {
    const { fetch, fake } = connect()
    const body = `{"model":"sonnet","max_tokens":1,"messages":[{"role":"user","content":"Hi"}],"__proto__":{"stream":true},"constructor":{"a":1}}`
    expect((await post(fetch, body)).headers.get('content-type')).toBe('application/json')
    expect(({} as { stream?: unknown }).stream).toBeUndefined()
    expect(fake.calls[0]?.operation).toBe('InvokeModel')
  })

  test.each(['not a url at all \u0000', 'http://[', 'https://api.anthropic.com:99999/v1/messages'])(
    'rejects the URL %j',
    async (address) => {
      const { fetch } = connect()
      expect(await refusal(fetch(address, { method: 'POST', body: JSON.stringify(params) }))).toMatchObject({
        status: 404,
      })
    },
  )

  test('rejects options that cannot work at once', () => {
    const { bedrock } = connect()
    for (const options of [{ pingInterval: -1 }, { pingInterval: Number.NaN }, { maxBodySize: 0 }])
      expect(() => anthropicFetch(bedrock, options)).toThrow(expect.objectContaining({ code: 'configuration' }))
  })
})

describe('a compressed body', () => {
  const send = (body: Uint8Array, encoding: string, maxBodySize = 100_000) => {
    const { bedrock, fake } = connect()
    const fetch = anthropicFetch(bedrock, { maxBodySize })
    const init = { method: 'POST', body: body as BodyInit, headers: { 'content-encoding': encoding } }
    return { answer: fetch(url, init), fake }
  }
  const json = JSON.stringify({ ...params, messages: [{ role: 'user', content: 'Grüße 🪨 '.repeat(1000) }] })

  test.each([
    ['gzip', gzipSync(json)],
    ['X-GZIP', gzipSync(json)],
    ['deflate', deflateSync(json)],
  ])('is accepted with %s', async (encoding, body) => {
    const { answer, fake } = send(body, encoding)
    expect(await (await answer).json()).toMatchObject({ type: 'message' })
    expect(fake.calls[0]?.body.messages).toEqual(JSON.parse(json).messages)
  })

  test.each([
    ['a body that would fill the memory', gzipSync(new Uint8Array(50_000_000)), 413],
    ['a body that decompresses to nothing for ever', Buffer.concat(Array(6000).fill(gzipSync(''))), 413],
    ['a cut body', gzipSync(json).subarray(0, -20), 400],
    ['a damaged body', gzipSync(json).map((byte, i) => (i === 40 ? byte ^ 255 : byte)), 400],
    ['a body of bytes that are not UTF-8', gzipSync(new Uint8Array([0x7b, 0xff, 0x7d])), 400],
    ['a body that is not JSON', gzipSync('hello'), 400],
  ])('is refused: %s', async (_, body, status) => {
    const { answer, fake } = send(body, 'gzip')
    expect(await refusal(answer)).toMatchObject({ status })
    expect(fake.calls).toEqual([])
  })
})

test("Claude Code's session is passed on for failover, and no other header", async () => {
  const { fetch, fake } = connect()
  await post(fetch, params, { headers: { 'x-claude-code-session-id': 'abc', 'x-claude-code-agent-id': 'def' } })
  expect(fake.calls[0]?.headers).toMatchObject({ 'x-claude-code-session-id': 'abc' })
  expect(fake.calls[0]?.headers).not.toHaveProperty('x-claude-code-agent-id')
})
