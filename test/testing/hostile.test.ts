import fc from 'fast-check'
import { createBedrockClient } from 'outcrop'
import { createFakeBedrock } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'

// Programs under test send anything. The fake answers as AWS would, with a response; its `fetch` rejects for an abort
// and for faults that are connections that break, and for nothing else.

const host = 'https://bedrock-runtime.us-east-1.amazonaws.com'
const path = '/model/us.anthropic.claude-sonnet-4-6/invoke'
const token = 'api-key-of-an-example'
const message = {
  anthropic_version: 'bedrock-2023-05-31',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'Hi' }],
}

function send(
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  authorization = `Bearer ${token}`,
): Promise<Response> {
  const fake = createFakeBedrock({
    identities: [{ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example-of-the-fake' }, { token }],
    models: { applicationProfiles: {} },
    guardrails: [{ identifier: 'gr1', versions: ['1'], blockedWords: ['granite'] }],
  })
  return fake.fetch(`${host}${url}`, { method: 'POST', body, headers: { authorization } })
}

describe('hostile requests are answered', () => {
  test.each([
    'bedrock-api-key-',
    'bedrock-api-key-***',
    `bedrock-api-key-${btoa('not a url at all')}`,
    `bedrock-api-key-${btoa('bedrock.amazonaws.com/?Action=CallWithBearerToken')}`,
    `bedrock-api-key-${btoa('bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Credential=AKIDEXAMPLE/20261120/us-east-1/bedrock/aws4_request&X-Amz-Date=soon&X-Amz-Expires=NaN')}`,
    'anything',
  ])('a bearer token that is not a short-term key: %s', async (text) => {
    const response = await send(path, JSON.stringify(message), `Bearer ${text}`)
    expect(response.status).toBe(403)
    expect(await response.json()).toEqual({ Message: 'Authentication failed: Please make sure your API Key is valid.' })
  })

  test.each([
    ['/model/%ZZ/invoke', 400, /regular expression pattern/],
    ['/model/us.anthropic.claude%ZZ/invoke-with-response-stream', 400, /regular expression pattern/],
    ['/guardrail/%ZZ/version/1/apply', 404, /guardrail identifier/],
    ['/model/%ZZ/count-tokens', 400, /counting tokens/],
    ['/%ZZ', 200, /UnknownOperationException/],
  ])('an invalid percent escape in a path: %s', async (url, status, text) => {
    const response = await send(url, JSON.stringify(message))
    expect(response.status).toBe(status)
    expect(await response.text()).toMatch(text)
  })

  test.each([
    ['deep JSON', `{"messages":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
    ['deep objects', `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`],
    ['invalid JSON', '{"messages":'],
    ['JSON that is not an object', '[1]'],
  ])('%s: 400, a malformed request', async (_, body) => {
    const counted = JSON.stringify({ input: { invokeModel: { body: btoa(body) } } })
    for (const [url, sent] of [
      [path, body],
      ['/model/anthropic.claude-sonnet-4-6/count-tokens', counted],
    ] as const) {
      const response = await send(url, sent)
      expect(response.status).toBe(400)
      expect(response.headers.get('x-amzn-errortype')).toMatch(/^ValidationException:/)
      expect(await response.json()).toMatchObject({ message: expect.stringContaining('Malformed input request') })
    }
  })

  test('CountTokens of invalid base64', async () => {
    const response = await send(
      '/model/anthropic.claude-sonnet-4-6/count-tokens',
      JSON.stringify({ input: { invokeModel: { body: '***' } } }),
    )
    expect(response.status).toBe(400)
  })

  test('names such as __proto__ as geography, beta and path', async () => {
    expect((await send('/model/constructor.anthropic.claude-sonnet-4-6/invoke', JSON.stringify(message))).status).toBe(
      400,
    )
    const odd = { ...message, anthropic_beta: ['constructor', { toString: 1, valueOf: 1 }] }
    expect((await send(path, JSON.stringify(odd))).status).toBe(200)
    expect(await (await send('/model/a/constructor', '{}')).text()).toContain('UnknownOperationException')
    expect(() => createFakeBedrock().fail('toString' as never)).toThrow(/Unknown fault/)
  })

  test('a reply function that throws: a 500 that says so', async () => {
    const fake = createFakeBedrock({
      reply: () => {
        throw new Error('a slip')
      },
    })
    const bedrock = createBedrockClient({
      region: fake.region,
      credentials: fake.identity,
      fetch: fake.fetch,
      retry: false,
    })
    await expect(
      bedrock.messages.create({ model: 'sonnet', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }),
    ).rejects.toMatchObject({ code: 'service', status: 500, message: expect.stringContaining('a slip') })
  })
})

// Each run tries other inputs. To repeat one: FUZZ_SEED=… npx vitest run test/testing/hostile.test.ts
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
const parameters = { seed, numRuns: 1500 }

describe('fuzz', () => {
  console.info(`the fake: fuzz seed ${seed}`)

  const names = fc.constantFrom(
    'toString',
    '__proto__',
    'constructor',
    'type',
    'content',
    'text',
    'name',
    'role',
    'ttl',
  )
  const { json } = fc.letrec<{ json: unknown }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.oneof(
        fc.constantFrom<unknown>(null, '', 0, -1, 1e308, true, 'tool_use', 'tool_result', 'ephemeral', 'any', '1h'),
        fc.string({ unit: 'binary', maxLength: 20 }),
      ),
      fc.array(tie('json'), { maxLength: 4 }),
      fc.array(fc.tuple(fc.oneof(names, fc.string({ maxLength: 8 })), tie('json')), { maxLength: 4 }).map((entries) =>
        // A parsed `__proto__` is an own key, as in what arrives.
        JSON.parse(`{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`),
      ),
    ),
  }))
  const turn = fc.record({ role: fc.oneof(fc.constantFrom('user', 'assistant'), json), content: json })
  const field = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
    fc.option(fc.oneof(value, json), { nil: undefined })
  const schema = fc.oneof(
    json,
    fc.record({
      type: fc.oneof(fc.constantFrom('object', 'array', 'string'), json),
      properties: json,
      required: json,
      items: json,
      enum: field(fc.array(json)),
      anyOf: field(fc.array(json)),
      $ref: field(fc.constantFrom('#', '#/properties/a', '#/$defs/constructor', '#/$defs/a')),
      $defs: field(fc.constant({ a: { $ref: '#/$defs/a' } })),
    }),
  )
  const messagesBody = fc.record({
    anthropic_version: fc.constant('bedrock-2023-05-31'),
    max_tokens: fc.constant(10),
    messages: fc.oneof(fc.array(turn, { minLength: 1, maxLength: 4 }), json),
    system: field(fc.string()),
    tools: field(
      fc.array(
        fc.record({ name: field(fc.string()), input_schema: schema, type: fc.oneof(fc.constant('custom'), json) }),
      ),
    ),
    tool_choice: field(fc.record({ type: fc.constantFrom('any', 'tool', 'none'), name: json })),
    thinking: field(fc.record({ type: json })),
    output_config: field(fc.record({ format: fc.record({ type: fc.constant('json_schema'), schema }) })),
    anthropic_beta: field(fc.array(json)),
    cache_control: field(json),
  })
  const text = fc.oneof(
    messagesBody.map((body) => JSON.stringify(body)),
    json.map((body) => JSON.stringify(body)),
    messagesBody.map((body) =>
      JSON.stringify({ input: { invokeModel: { body: btoa(encodeURI(JSON.stringify(body))) } } }),
    ),
    json.map((input) => JSON.stringify({ input })),
    fc.string({ unit: 'binary', maxLength: 50 }),
    fc.constantFrom(
      'Action=AssumeRole&DurationSeconds=never',
      'Action=AssumeRoleWithWebIdentity&DurationSeconds=-1',
      'Action=AssumeRoleWithWebIdentity&RoleArn=<&>',
    ),
  )
  const segment = fc.oneof(
    fc.constantFrom('%ZZ', 'constructor', '__proto__', 'us.anthropic.claude-sonnet-4-6', 'gr1', 'a.b', '%F0%9F', '..;'),
    fc.constantFrom('eu.anthropic.claude-opus-5-5', 'anthropic.claude-haiku-4-5-20251001-v1:0', 'toString.anthropic.x'),
    fc.string({ maxLength: 12 }).map(encodeURIComponent),
  )
  const url = fc
    .tuple(
      fc.constantFrom(
        '/model/{}/invoke',
        '/model/{}/invoke',
        '/model/{}/invoke-with-response-stream',
        '/model/{}/count-tokens',
        '/model/{}/converse',
        '/model/{}/{}',
        '/guardrail/{}/version/{}/apply',
        '/inference-profiles',
        '/inference-profiles/{}',
        '/foundation-models',
        '/foundation-models/{}',
        '/foundation-model-availability/{}',
        '/guardrails',
        '/guardrails/{}',
        '/use-case-for-model-access',
        '/anthropic/v1/{}',
        '/sts/',
        '/{}',
      ),
      segment,
      segment,
      fc.constantFrom('', '?maxResults=NaN', '?maxResults=0', '?nextToken=x', '?byInferenceType=x', '?a=%ZZ'),
    )
    .map(([pattern, first, second, query]) => pattern.replace('{}', () => first).replace('{}', () => second) + query)
  const authorization = fc.oneof(
    { weight: 8, arbitrary: fc.constant(`Bearer ${token}`) },
    { weight: 1, arbitrary: fc.base64String().map((text) => `Bearer bedrock-api-key-${text}`) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          fc.constantFrom('NaN', '-1', '1e9', '600'),
          fc.constantFrom('soon', '20261120T000000Z', '99999999T999999Z'),
        )
        .map(([expires, date]) => {
          const query = `Action=CallWithBearerToken&X-Amz-Credential=AKIDEXAMPLE/1/us-east-1&X-Amz-Expires=${expires}&X-Amz-Date=${date}`
          return `Bearer bedrock-api-key-${btoa(`bedrock.amazonaws.com/?${query}`)}`
        }),
    },
    { weight: 1, arbitrary: fc.string({ maxLength: 40 }).map((text) => text.replace(/[^\x20-\x7e]/g, '')) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom('AKIDEXAMPLE', 'AKIDOTHER'), fc.constantFrom('us-east-1', 'x', '%ZZ'), segment)
        .map(
          ([key, region, names]) =>
            `AWS4-HMAC-SHA256 Credential=${key}/20261120/${region}/bedrock/aws4_request, SignedHeaders=host;${names}, Signature=${'0'.repeat(64)}`,
        ),
    },
  )
  const headers = fc.dictionary(
    fc.constantFrom(
      'x-amz-date',
      'x-amzn-bedrock-guardrailidentifier',
      'x-amzn-bedrock-guardrailversion',
      'x-amzn-bedrock-trace',
      'x-amz-security-token',
    ),
    fc.constantFrom('', 'gr1', '1', 'ENABLED', '20261120T000000Z', '99999999T999999Z', '<', '%ZZ'),
  )

  test('fetch never rejects, and its responses are readable', async () => {
    const fake = createFakeBedrock({
      identities: [{ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example-of-the-fake' }, { token }],
      guardrails: [{ identifier: 'gr1', versions: ['1'], blockedWords: ['granite'] }],
    })
    const method = fc.constantFrom('POST', 'POST', 'GET', 'PUT', 'DELETE')
    const statuses = new Set<number>()
    await fc.assert(
      fc.asyncProperty(url, method, authorization, headers, text, async (url, method, authorization, extra, body) => {
        const response = await fake.fetch(`${host}${url}`, {
          method,
          headers: { ...extra, authorization },
          ...(method !== 'GET' && { body }),
        })
        await response.arrayBuffer()
        statuses.add(response.status)
        expect(response.status).toBeLessThan(500)
        if (response.status >= 400) expect(response.headers.get('content-type')).toMatch(/json|xml/)
      }),
      parameters,
    )
    // It passed authentication.
    expect([...statuses].sort()).toEqual(expect.arrayContaining([200, 400, 403, 404]))
  })
})
