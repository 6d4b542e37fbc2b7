import { createBedrockClient } from 'outcrop'
import { createGateway } from 'outcrop/gateway'
import { createFakeBedrock } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'
import { manualClock } from '../anthropic/support.ts'
import { body, connect, key, params } from './support.ts'

const guardrail = { identifier: 'gr1abc2def3g', version: '1' }
const blocking = { guardrails: [{ identifier: 'gr1abc2def3g', versions: ['1'], blockedWords: ['Hello'] }] }

describe('authentication', () => {
  test('createGateway requires authenticate', () => {
    const bedrock = createBedrockClient({ region: 'us-east-1' })
    expect(() => createGateway(bedrock, {} as never)).toThrow(expect.objectContaining({ code: 'configuration' }))
    expect(() => createGateway(bedrock, { authentikate: () => undefined } as never)).toThrow(/Unknown option/)
  })

  test.each([
    ['no key', { 'x-api-key': '' }],
    ['a wrong key', { 'x-api-key': 'wrong' }],
    ['a wrong token', { 'x-api-key': '', authorization: 'Bearer wrong' }],
    ['an enormous key', { 'x-api-key': key.padEnd(100_000, 'x') }],
  ])('refuses %s, and sends nothing to Bedrock', async (_, headers) => {
    const { call, fake } = await connect()
    for (const path of [
      '/v1/messages',
      '/v1/messages/count_tokens',
      '/model/sonnet/invoke',
      '/guardrail/g/version/1/apply',
    ]) {
      expect((await call(path, { json: params, headers })).status).toBe(401)
    }
    for (const path of ['/v1/models', '/v1/models/sonnet', '/inference-profiles', '/metrics'])
      expect((await call(path, { headers })).status).toBe(401)
    expect(fake.calls).toEqual([])
  })

  test('refuses an AWS signature, and says which header to send instead', async () => {
    const { call } = await connect()
    const authorization = 'AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/bedrock/aws4_request, Signature=0'
    const response = await call('/model/sonnet/invoke', { json: body, headers: { 'x-api-key': '', authorization } })
    expect(response.status).toBe(401)
    expect(await response.text()).toContain('AWS_BEARER_TOKEN_BEDROCK')
  })

  test('ignores a stray token next to a valid key', async () => {
    const { call } = await connect()
    expect((await call('/v1/messages', { json: params, headers: { authorization: 'Bearer stray' } })).status).toBe(200)
  })

  test('refuses every request if authenticate throws or returns an invalid caller', async () => {
    for (const authenticate of [
      () => {
        throw new Error('the directory at 10.0.0.1 is away')
      },
      () => ({ id: 'a\r\nx-evil: 1' }),
      () => ({ id: 'alice', modles: ['opus'] }) as never,
    ]) {
      const { call, fake } = await connect({ authenticate })
      const response = await call('/v1/messages', { json: params })
      expect(response.status).toBe(500)
      expect(await response.text()).not.toMatch(/10\.0\.0\.1|evil|modles/)
      expect(fake.calls).toEqual([])
    }
  })
})

describe('permissions of a key', () => {
  test("allows and lists only the key's models, on both APIs", async () => {
    const { call, fake } = await connect({ caller: { models: ['haiku'] } })
    expect((await call('/v1/messages', { json: params })).status).toBe(404)
    expect((await call('/v1/messages/count_tokens', { json: params })).status).toBe(404)
    expect((await call('/model/us.anthropic.claude-sonnet-4-6/invoke', { json: body })).status).toBe(404)
    expect((await call('/v1/models/sonnet')).status).toBe(404)
    const { data } = (await (await call('/v1/models?limit=1000')).json()) as { data: { id: string }[] }
    expect(data.length).toBeGreaterThan(0)
    expect(data.every(({ id }) => id.includes('haiku'))).toBe(true)
    expect(fake.calls.filter(({ operation }) => operation.startsWith('Invoke'))).toEqual([])
    expect((await call('/model/haiku/invoke', { json: body })).status).toBe(200)
  })

  test.each([
    ['/v1/messages', params, {}],
    ['/v1/messages', { ...params, stream: true }, {}],
    ['/model/sonnet/invoke', body, {}],
    ['/model/sonnet/invoke-with-response-stream', body, {}],
    ['/model/sonnet/invoke', body, { 'x-amzn-bedrock-guardrailidentifier': '' }],
    [
      '/model/sonnet/invoke',
      body,
      { 'x-amzn-bedrock-guardrailversion': 'DRAFT', 'x-amzn-bedrock-trace': 'ENABLED_FULL' },
    ],
  ])("applies the key's guardrail to every call: %s", async (path, json, headers) => {
    const { call, fake } = await connect({ caller: { guardrail }, fake: blocking })
    const response = await call(path, { json, headers })
    const text = await response.text()
    const named = fake.calls.map(({ headers: sent }) => [
      sent['x-amzn-bedrock-guardrailidentifier'],
      sent['x-amzn-bedrock-guardrailversion'],
    ])
    if (response.status === 200) {
      expect(named).toEqual([['gr1abc2def3g', '1']])
      expect(text).not.toContain('Hello!')
    } else {
      expect([response.status, named]).toEqual([400, []])
    }
  })

  test.each([
    ['another guardrail in a header', '/model/sonnet/invoke', body, { 'x-amzn-bedrock-guardrailidentifier': 'gr2' }],
    [
      'its own guardrail config',
      '/model/sonnet/invoke',
      { ...body, 'amazon-bedrock-guardrailConfig': { tagSuffix: 'x' } },
      {},
    ],
    [
      'its own guardrail config',
      '/v1/messages',
      { ...params, 'amazon-bedrock-guardrailConfig': { tagSuffix: 'x' } },
      {},
    ],
    [
      'the same field twice',
      '/model/sonnet/invoke',
      '{"amazon-bedrock-guardrailConfig":1,"amazon-bedrock-guardrailConfi\\u0067":2}',
      {},
    ],
  ])("refuses to change the key's guardrail: %s, %s", async (_, path, json, headers) => {
    const { call, fake } = await connect({ caller: { guardrail }, fake: blocking })
    const init = typeof json === 'string' ? { method: 'POST', body: json } : { json }
    const response = await call(path, { ...init, headers: headers as Record<string, string> })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('guardrail')
    expect(fake.calls).toEqual([])
  })

  test("applies the gateway's guardrail to callers without one, on both APIs", async () => {
    const { call, fake } = await connect({ guardrail, fake: blocking })
    await call('/v1/messages', { json: params })
    await call('/model/sonnet/invoke', { json: body })
    expect(fake.calls.map(({ headers }) => headers['x-amzn-bedrock-guardrailidentifier'])).toEqual([
      'gr1abc2def3g',
      'gr1abc2def3g',
    ])
    const config = { ...params, 'amazon-bedrock-guardrailConfig': { streamProcessingMode: 'ASYNCHRONOUS' } }
    expect((await call('/v1/messages', { json: config })).status).toBe(400)
  })

  test('does not serve an API that wires leaves out', async () => {
    const { call, fake } = await connect({ wires: ['anthropic'] })
    expect((await call('/v1/messages', { json: params })).status).toBe(200)
    for (const path of ['/model/sonnet/invoke', '/guardrail/g/version/1/apply'])
      expect((await call(path, { json: body })).status).toBe(404)
    expect((await call('/inference-profiles')).status).toBe(404)
    expect(fake.calls.length).toBe(1)
  })

  test("writes the key's metadata to the invocation logs, over the caller's", async () => {
    const { call, fake } = await connect({ caller: { metadata: { team: 'Zürich' } } })
    await call('/v1/messages', { json: params })
    const headers = { 'x-amzn-bedrock-request-metadata': '{"team":"forged","run":"7"}' }
    await call('/model/sonnet/invoke', { json: body, headers })
    expect(fake.calls.map((each) => JSON.parse(each.headers['x-amzn-bedrock-request-metadata'] ?? '{}'))).toEqual([
      { team: 'Zürich' },
      { team: 'Zürich', run: '7' },
    ])
  })

  test('hides the metrics from a key that is not an operator', async () => {
    expect((await (await connect()).call('/metrics')).status).toBe(403)
    expect((await (await connect({ caller: { operator: true } })).call('/metrics')).status).toBe(200)
    const open = await connect({ openMetrics: true })
    expect((await open.call('/metrics', { headers: { 'x-api-key': '' } })).status).toBe(200)
  })
})

describe("Bedrock's API", () => {
  test('passes body and response through byte for byte, and only the headers that Bedrock reads', async () => {
    const spelled =
      '{"max_tokens":1000 , "anthropic_version" : "bedrock-2023-05-31","messages":[{"role":"user","content":"\\u0048i"}]}'
    const fake = createFakeBedrock({ reply: 'Hello!' })
    const sent: { body: string; headers: Headers }[] = []
    const bedrock = createBedrockClient({
      region: 'us-east-1',
      credentials: fake.identity,
      fetch: async (input, init) => {
        const request = new Request(input, init)
        sent.push({ body: await request.clone().text(), headers: request.headers })
        return fake.fetch(request)
      },
    })
    const gateway = createGateway(bedrock, { authenticate: () => ({ id: 'alice' }) })
    const response = await gateway.fetch(
      new Request('http://gateway.example/model/us.anthropic.claude-sonnet-4-6/invoke-with-response-stream', {
        method: 'POST',
        body: spelled,
        headers: {
          'content-type': 'application/json',
          'x-amzn-bedrock-accept': 'application/json',
          'x-amzn-bedrock-newest': 'yes',
          'anthropic-workspace-id': 'w1',
          authorization: 'Bearer key',
          'x-api-key': 'key',
          'x-amz-date': '20200101T000000Z',
          'x-amz-security-token': 'stale',
          'x-amz-content-sha256': 'none',
          'amz-sdk-invocation-id': '1',
          cookie: 'a=b',
          'proxy-authorization': 'Basic x',
        },
      }),
    )
    expect(response.headers.get('content-type')).toBe('application/vnd.amazon.eventstream')
    const bytes = new Uint8Array(await response.arrayBuffer())
    const [{ body: raw, headers } = { body: '', headers: new Headers() }] = sent
    expect(raw).toBe(spelled)
    expect(headers.get('x-amzn-bedrock-newest')).toBe('yes')
    expect(headers.get('anthropic-workspace-id')).toBe('w1')
    expect(headers.get('authorization')).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/)
    expect(headers.get('x-amz-date')).not.toBe('20200101T000000Z')
    for (const name of ['x-api-key', 'x-amz-security-token', 'amz-sdk-invocation-id', 'cookie', 'proxy-authorization'])
      expect(headers.get(name)).toBeNull()
    expect(bytes.length).toBeGreaterThan(500)
    expect(gateway.snapshot().usage[0]?.usage.outputTokens).toBeGreaterThan(0)
  })

  test.each([
    [
      'an encoded ID',
      '/model/us.anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke',
      'us.anthropic.claude-haiku-4-5-20251001-v1:0',
    ],
    [
      'a bare colon',
      '/model/us.anthropic.claude-haiku-4-5-20251001-v1:0/invoke',
      'us.anthropic.claude-haiku-4-5-20251001-v1:0',
    ],
    [
      'an ARN',
      `/model/${encodeURIComponent('arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc')}/invoke`,
      'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc',
    ],
    ['an alias', '/model/sonnet/invoke', 'us.anthropic.claude-sonnet-4-6'],
  ])('accepts %s', async (_, path, model) => {
    const { call, fake } = await connect({
      fake: {
        models: {
          applicationProfiles: {
            'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc': 'anthropic.claude-sonnet-4-6',
          },
        },
      },
    })
    await call(path, { json: body })
    expect(fake.calls[0]?.model).toBe(
      fake.calls[0] && model === 'us.anthropic.claude-sonnet-4-6' ? fake.calls[0].model : model,
    )
  })

  test.each([
    '/model/..%2f..%2ffoundation-models/invoke',
    '/model/%2e%2e/invoke',
    '/model/a%2Fb/invoke',
    '/model/sonnet%0d%0ax-evil:1/invoke',
    '/model/sonnet%00/invoke',
    '/model/%ff/invoke',
    '/model//invoke',
    '/model/us.anthropic.claude-sonnet-4-6%253A0/invoke',
    '/model/;x/invoke',
    '/model/sonnet/converse',
    '/model/sonnet/invoke/',
    '/model/sonnet/../../v1/messages/invoke',
    `/model/${'a'.repeat(9000)}/invoke`,
  ])('rejects a model name that would lead to another path: %s', async (path) => {
    const { call, fake } = await connect()
    const response = await call(path, { json: body })
    if (path.endsWith('invoke/')) expect(fake.calls.every(({ path: at }) => at.startsWith('/model/us.'))).toBe(true)
    else expect([response.status >= 400 && response.status < 500, fake.calls]).toEqual([true, []])
  })

  test("passes on an error's status, type and message, without the account ID", async () => {
    const message = 'User: arn:aws:iam::123456789012:user/me is not authorized to perform: bedrock:InvokeModel'
    const { call, fake } = await connect()
    fake.fail('iam-denied', { message })
    const response = await call('/model/sonnet/invoke', { json: body })
    expect([response.status, response.headers.get('x-amzn-errortype')?.split(':')[0]]).toEqual([
      403,
      'AccessDeniedException',
    ])
    const text = await response.text()
    expect(text).toContain('is not authorized to perform: bedrock:InvokeModel')
    expect(text).not.toContain('123456789012')
    const open = await connect({ exposeUpstreamErrors: true })
    open.fake.fail('iam-denied', { message })
    expect(await (await open.call('/model/sonnet/invoke', { json: body })).text()).toContain('123456789012')
  })

  test('allows a complete response an hour, and does not follow redirects', async () => {
    const clock = manualClock()
    const waiting = await connect({ client: { clock, fetch: () => new Promise(() => {}) } })
    const controller = new AbortController()
    const answer = waiting.call('/model/sonnet/invoke', { json: body, signal: controller.signal })
    await expect.poll(() => [...clock.timers.values()].map(({ milliseconds }) => milliseconds)).toContain(3_600_000)
    controller.abort()
    await answer
    const location = { location: 'http://169.254.169.254/latest' }
    const moved = await connect({
      client: { fetch: async () => new Response(null, { status: 307, headers: location }) },
    })
    const response = await moved.call('/model/sonnet/invoke', { json: body })
    expect([response.status, response.headers.get('location')]).toEqual([502, null])
  })

  test.each(['/v1/messages', '/model/sonnet/invoke'])(
    "answers 502 if AWS refuses the gateway's own credentials: %s",
    async (path) => {
      const { call, fake } = await connect()
      fake.fail('expired-token', { times: 5 })
      const response = await call(path, { json: path === '/v1/messages' ? params : body })
      expect(response.status).toBe(502)
      expect(await response.text()).toContain("The gateway's own AWS credentials")
    },
  )
})

describe("Anthropic's API", () => {
  test("answers Claude Code's requests at startup, without a key", async () => {
    const { call } = await connect()
    const headers = { 'x-api-key': '' }
    expect((await call('/api/hello', { method: 'HEAD', headers })).status).toBe(200)
    expect((await call('/api/event_logging/batch', { json: { events: [] }, headers })).status).toBe(200)
  })

  test('rejects an input that is too long in the words that make clients compact', async () => {
    const { call, fake } = await connect()
    fake.fail('input-too-long')
    const response = await call('/v1/messages', { json: params })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('capability_rejected: prompt_too_long')
  })

  test('answers 404 for an unknown path, and 405 with the allowed method', async () => {
    const { call } = await connect()
    expect((await call('/v1/messages')).headers.get('allow')).toBe('POST')
    expect(await (await call('/v1/files', { json: {} })).text()).toContain('no Files API')
    expect((await call('/v1/nothing/messages', { json: params })).status).toBe(404)
    expect((await call('//v1/messages', { json: params })).status).toBe(404)
  })

  test('sends no CORS headers, so that pages of other origins can read nothing', async () => {
    const { call } = await connect()
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' }
    for (const method of ['OPTIONS', 'POST']) {
      const response = await call('/v1/messages', {
        method,
        headers,
        ...(method === 'POST' && { body: JSON.stringify(params) }),
      })
      expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  })

  test('can be mounted under a base path', async () => {
    const { call } = await connect({ basePath: '/claude' })
    expect((await call('/claude/v1/messages', { json: params })).status).toBe(200)
    expect((await call('/v1/messages', { json: params })).status).toBe(404)
    expect((await call('/claudette/v1/messages', { json: params })).status).toBe(404)
  })
})

describe('load', () => {
  test('refuses a body that is too long, on both APIs', async () => {
    const { call, fake } = await connect({ maxBodySize: 1000 })
    const json = { ...params, messages: [{ role: 'user', content: 'x'.repeat(2000) }] }
    expect((await call('/v1/messages', { json })).status).toBe(413)
    expect((await call('/model/sonnet/invoke', { json })).status).toBe(413)
    expect(fake.calls).toEqual([])
  })

  const openStream = async (call: Awaited<ReturnType<typeof connect>>['call']): Promise<ReadableStreamDefaultReader> =>
    ((await call('/v1/messages', { json: { ...params, stream: true } })).body as ReadableStream).getReader()

  test('queues calls beyond the limit, and refuses them after the timeout', async () => {
    const clock = manualClock()
    const { call, gateway } = await connect({ maxConcurrent: 1, maxQueued: 2, clock })
    const first = await openStream(call)
    const waiting = [call('/v1/messages', { json: params }), call('/model/sonnet/invoke', { json: body })]
    await expect.poll(() => gateway.snapshot()).toMatchObject({ active: 1, queued: 2 })
    const third = await call('/v1/messages', { json: params })
    expect([third.status, third.headers.get('retry-after')]).toEqual([529, '10'])
    expect(await third.json()).toMatchObject({ error: { type: 'overloaded_error' } })
    clock.pass(10_000)
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([529, 429])
    const next = call('/v1/messages', { json: params })
    await first.cancel()
    expect((await next).status).toBe(200)
  })

  test('ends the call at Bedrock when the client disconnects, and admits the next', async () => {
    const { call, fake, gateway, log } = await connect({ maxConcurrent: 1 })
    const stream = await openStream(call)
    await stream.read()
    await stream.cancel()
    expect(fake.calls[0]?.aborted).toBe(true)
    expect(gateway.snapshot()).toMatchObject({ active: 0, calls: [] })
    expect(log).toMatchObject([{ status: 499, key: 'alice' }])
  })

  test('removes a waiting call from the queue when the client disconnects', async () => {
    const { call, gateway, fake } = await connect({ maxConcurrent: 1 })
    const stream = await openStream(call)
    const controller = new AbortController()
    const waiting = call('/v1/messages', { json: params, signal: controller.signal })
    await expect.poll(() => gateway.snapshot().queued).toBe(1)
    controller.abort()
    expect((await waiting).status).toBe(499)
    expect(gateway.snapshot().queued).toBe(0)
    await stream.cancel()
    expect(fake.calls.length).toBe(1)
  })

  test('drains: health checks answer 503, calls are served, and drain() resolves after the last stream', async () => {
    const { call, gateway } = await connect()
    const stream = await openStream(call)
    let isDrained = false
    const drained = gateway.drain().then(() => {
      isDrained = true
    })
    expect((await call('/healthz')).status).toBe(503)
    expect((await call('/readyz')).status).toBe(503)
    expect(await call('/v1/messages', { json: params }).then((response) => response.text())).toContain('Hello!')
    expect(isDrained).toBe(false)
    for (let end = false; !end; end = (await stream.read()).done);
    await drained
    await gateway.drain()
  })
})

describe('observability', () => {
  test('the access log has one line per request, without content', async () => {
    const { call, log } = await connect({ prices: { sonnet: { input: 3, output: 15 } } })
    const headers = { 'x-claude-code-session-id': 'session-1' }
    await (await call('/v1/messages', { json: { ...params, stream: true }, headers })).text()
    await (await call('/model/sonnet/invoke', { json: body, headers: { 'x-claude-code-session-id': 'a\tb' } })).text()
    await call('/v1/messages', { json: params, headers: { 'x-api-key': 'wrong' } })
    expect(log).toMatchObject([
      {
        key: 'alice',
        route: '/v1/messages',
        status: 200,
        model: 'claude-sonnet-4-6',
        stream: true,
        session: 'session-1',
      },
      { key: 'alice', route: '/model/{model}/invoke', status: 200, model: 'claude-sonnet-4-6', stream: false },
      { status: 401, error: 'refused_401' },
    ])
    const { usage, cost, requestId } = log[0] ?? {}
    expect(cost).toBeCloseTo(((usage?.inputTokens ?? 0) * 3 + (usage?.outputTokens ?? 0) * 15) / 1e6)
    expect(requestId).toMatch(/^[\da-f-]{36}$/)
    expect(log[1]).not.toHaveProperty('session')
    expect(JSON.stringify(log)).not.toMatch(/Hi|Hello|key-of|wrong/)
  })

  test('the metrics keep their names, and escape label values', async () => {
    const { call } = await connect({
      caller: { id: 'a"b\\c', operator: true },
      prices: { sonnet: { input: 3, output: 15 } },
    })
    await (await call('/v1/messages', { json: { ...params, stream: true } })).text()
    const response = await call('/metrics')
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const text = await response.text()
    const labels = 'key="a\\"b\\\\c",model="claude-sonnet-4-6"'
    expect(text).toContain(`outcrop_gateway_requests_total{${labels},status="200"} 1\n`)
    expect(text).toContain(`outcrop_gateway_tokens_total{${labels},type="output"}`)
    expect(text).toMatch(/outcrop_gateway_cost_usd_total\{[^\n]+\} 0\.0\d+\n/)
    expect(text).toContain('outcrop_gateway_request_duration_seconds_bucket{le="+Inf"} 1\n')
    expect(text).toContain('outcrop_gateway_time_to_first_byte_seconds_count 1\n')
    expect(text).toContain('outcrop_gateway_active_requests 0\n')
    expect(text).toContain('outcrop_gateway_queued_requests 0\n')
    for (const line of text.trimEnd().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{([a-z_]+="([^"\\\n]|\\["\\n])*",?)+\})? [\d.e+-]+)$/)
  })

  test('counts errors of Bedrock by type, and shows them with their hints', async () => {
    const { call, fake, gateway } = await connect({ caller: { operator: true } })
    fake.fail('throttling')
    await call('/v1/messages', { json: params })
    fake.fail('throttling')
    await call('/model/sonnet/invoke', { json: body })
    expect(await (await call('/metrics')).text()).toContain(
      'outcrop_gateway_upstream_errors_total{type="ThrottlingException"} 2\n',
    )
    expect(gateway.snapshot().errors).toMatchObject([
      { type: 'ThrottlingException', status: 429, key: 'alice', route: '/model/{model}/invoke' },
      { type: 'ThrottlingException', status: 429, key: 'alice', route: '/v1/messages' },
    ])
    expect(gateway.snapshot().errors[1]?.hint).toBeDefined()
  })

  test('unauthenticated requests do not push errors out of the list', async () => {
    const { call, fake, gateway } = await connect()
    fake.fail('throttling')
    await call('/v1/messages', { json: params })
    for (let i = 0; i < 60; i++) await call('/v1/messages', { json: params, headers: { 'x-api-key': 'wrong' } })
    for (let i = 0; i < 60; i++) await call('/nowhere', { headers: { 'x-api-key': 'wrong' } })
    expect(gateway.snapshot().errors).toMatchObject([{ type: 'ThrottlingException' }])
  })

  test('limits the number of metric series, because names come from outside', async () => {
    const { call, gateway } = await connect({ caller: { operator: true } })
    for (let i = 0; i < 30; i++) await call(`/model/name-${i}/invoke`, { json: body })
    expect((await (await call('/metrics')).text()).match(/requests_total\{/g)?.length).toBe(1)
    expect(gateway.snapshot().usage.length).toBe(1)
  })

  test('readiness checks identity, Region and one model, and caches the result', async () => {
    const { call, fake } = await connect()
    expect((await call('/readyz', { headers: { 'x-api-key': '' } })).status).toBe(200)
    await call('/readyz')
    expect(fake.calls.length).toBe(1)
    const denied = await connect({ fake: { models: { denied: ['bedrock:GetFoundationModelAvailability'] } } })
    expect((await denied.call('/readyz')).status).toBe(200)
    const broken = await connect({
      client: { credentials: { accessKeyId: 'AKIDOTHER', secretAccessKey: 'other-secret' } },
    })
    const response = await broken.call('/readyz')
    expect([response.status, await response.json()]).toEqual([503, { status: 'not ready' }])
    expect(broken.gateway.snapshot().readiness).toMatchObject({
      isReady: false,
      reason: expect.stringContaining('token'),
    })
    const nowhere = await connect({ client: { region: undefined, env: {} } })
    expect((await nowhere.call('/readyz')).status).toBe(503)
  })

  test('records usage and cost by key and model, for an abandoned stream up to where it was read', async () => {
    const { call, gateway } = await connect({
      prices: { 'claude-sonnet-4-6': { input: 3, output: 15 } },
      fake: { reply: 'word '.repeat(2000) },
    })
    await (await call('/v1/messages', { json: params })).text()
    const [whole] = gateway.snapshot().usage
    expect(whole).toMatchObject({ key: 'alice', model: 'claude-sonnet-4-6', requests: 1, errors: 0 })
    for (const path of ['/v1/messages', '/model/sonnet/invoke-with-response-stream']) {
      const response = await call(path, { json: path === '/v1/messages' ? { ...params, stream: true } : body })
      const reader = (response.body as ReadableStream<Uint8Array>).getReader()
      for (let size = 0; size < 60_000; ) size += (await reader.read()).value?.length ?? 60_000
      await reader.cancel()
    }
    const [both] = gateway.snapshot().usage
    expect((both?.usage.outputTokens ?? 0) - (whole?.usage.outputTokens ?? 0)).toBeGreaterThan(100)
    expect(both?.cost).toBeGreaterThan(whole?.cost ?? 0)
  })
})
