import { getEventListeners } from 'node:events'
import { createBedrockClient } from 'outcrop'
import { anthropicFetch } from 'outcrop/anthropic'
import { createFakeBedrock } from 'outcrop/testing'
import type { FaultName } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'
import { connect, params, post } from './support.ts'

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly type: string
  readonly message: string
}

async function answerOf(response: Response): Promise<Answer> {
  const { type, error, request_id } = await response.json()
  expect(type).toBe('error')
  expect(Object.keys(error)).toEqual(['type', 'message'])
  expect(request_id).toBe(response.headers.get('request-id'))
  expect(response.headers.get('content-type')).toBe('application/json')
  return { status: response.status, headers: response.headers, ...error }
}

describe('errors of Bedrock', () => {
  test.each<[FaultName, number, string, shouldRetry: boolean]>([
    ['throttling', 429, 'rate_limit_error', true],
    ['throttling-tokens', 429, 'rate_limit_error', true],
    ['throttling-per-day', 429, 'rate_limit_error', false],
    ['service-quota', 429, 'rate_limit_error', false],
    ['model-not-ready', 529, 'overloaded_error', true],
    ['unavailable', 529, 'overloaded_error', true],
    ['internal', 500, 'api_error', true],
    ['model-timeout', 504, 'timeout_error', true],
    ['model-error', 500, 'api_error', true],
    ['model-error-client', 400, 'invalid_request_error', false],
    ['expired-token', 401, 'authentication_error', false],
    ['invalid-token', 401, 'authentication_error', false],
    ['bearer-expired', 401, 'authentication_error', false],
    ['bearer-invalid', 401, 'authentication_error', false],
    ['signature-mismatch', 401, 'authentication_error', false],
    ['model-access', 403, 'permission_error', false],
    ['iam-denied', 403, 'permission_error', false],
    ['scp-denied', 403, 'permission_error', false],
    ['use-case-form', 404, 'not_found_error', false],
    ['not-found', 404, 'not_found_error', false],
    ['on-demand', 400, 'invalid_request_error', false],
    ['input-too-long', 400, 'invalid_request_error', false],
    ['bad-gateway', 502, 'api_error', true],
    ['empty-500', 500, 'api_error', true],
    ['gateway-timeout', 504, 'timeout_error', true],
    ['redirect', 502, 'api_error', false],
    ['cut-json', 502, 'api_error', true],
    ['unknown-operation', 404, 'not_found_error', false],
    ['connection-reset', 502, 'api_error', true],
    ['connection-refused', 502, 'api_error', true],
  ])('%s becomes %i %s', async (fault, status, type, shouldRetry) => {
    const { fake, fetch } = connect()
    fake.fail(fault)
    const answer = await answerOf(await post(fetch, params))
    expect(answer).toMatchObject({ status, type })
    expect(answer.headers.get('x-should-retry')).toBe(String(shouldRetry))
  })

  test.each<[FaultName, number, string]>([
    ['stream-wrong-content-type', 502, 'api_error'],
    ['stream-empty', 502, 'api_error'],
    ['throttling', 429, 'rate_limit_error'],
  ])('before the first event of a stream become responses: %s is %i %s', async (fault, status, type) => {
    const { fake, fetch } = connect()
    fake.fail(fault)
    expect(await answerOf(await post(fetch, { ...params, stream: true }))).toMatchObject({ status, type })
  })

  test('keep retry-after, in seconds and milliseconds', async () => {
    const { fake, fetch } = connect()
    fake.fail('throttling', { headers: { 'retry-after-ms': '1200' } })
    const { headers } = await answerOf(await post(fetch, params))
    expect(headers.get('retry-after')).toBe('2')
    expect(headers.get('retry-after-ms')).toBe('1200')
    fake.fail('throttling')
    expect((await answerOf(await post(fetch, params))).headers.has('retry-after')).toBe(false)
  })

  test("keep AWS's words", async () => {
    const { fake, fetch } = connect()
    fake.fail('extra-inputs', { message: 'output_config.format: Extra inputs are not permitted', times: 2 })
    const { message } = await answerOf(await post(fetch, params))
    expect(message).toBe('output_config.format: Extra inputs are not permitted')
  })

  test('become "Input is too long", which makes Claude Code compact, also in a stream', async () => {
    const { fake, fetch } = connect()
    fake.fail('input-too-long')
    const { message } = await answerOf(await post(fetch, params))
    expect(message).toContain('Input is too long for requested model.')
    expect(message).toMatch(/prompt is too long/)
    expect(message).toMatch(/capability_rejected: prompt_too_long/)
    fake.fail('stream-validation', { message: 'Input is too long for requested model.' })
    const other = connect({
      reply: [
        {
          type: 'error',
          error: { type: 'invalid_request_error', message: 'prompt is too long: 9 tokens > 8 maximum' },
        },
      ],
    })
    const said = (await answerOf(await post(other.fetch, { ...params, stream: true }))).message
    expect(said).toBe('prompt is too long: 9 tokens > 8 maximum (capability_rejected: prompt_too_long)')
  })
})

describe('account IDs and ARNs', () => {
  test.each<FaultName>(['iam-denied', 'scp-denied'])('are hidden: %s', async (fault) => {
    const log: unknown[] = []
    const logger = { debug() {}, info() {}, warn: (_: string, error: unknown) => log.push(error), error() {} }
    const { fake, fetch } = connect({}, { logger })
    fake.fail(fault)
    const text = await (await post(fetch, params)).text()
    expect(text).toContain('is not authorized to perform: bedrock:InvokeModel on resource: [ARN]')
    expect(text).not.toMatch(/123456789012|arn:|assumed-role/)
    // The operator can see everything.
    expect(String(log[0])).toContain('arn:aws:sts::123456789012:assumed-role/dev/me')
  })

  test('are hidden in an error event', async () => {
    const error = {
      type: 'api_error',
      message: 'Role arn:aws:iam::123456789012:role/x of 123456789012 (AKIAIOSFODNN7EXAMPLE)',
    }
    const { fetch } = connect({
      reply: [
        { type: 'message_start', message: {} },
        { type: 'error', error },
      ],
    })
    const text = await (await post(fetch, { ...params, stream: true })).text()
    expect(text).toContain('Role [ARN] of [account] ([key ID])')
  })

  test('are shown with exposeUpstreamErrors, with the hint', async () => {
    const { fake, fetch } = connect({}, { exposeUpstreamErrors: true })
    fake.fail('iam-denied')
    const { message } = await answerOf(await post(fetch, params))
    expect(message).toContain('arn:aws:sts::123456789012:assumed-role/dev/me')
    expect(message).toContain('npx outcrop iam-policy')
  })

  test('does not take a UUID for an account', async () => {
    const { fake, fetch } = connect()
    fake.fail('internal', { message: 'Request 11111111-2222-4333-8444-123456789012 failed' })
    expect((await answerOf(await post(fetch, params))).message).toContain('8444-123456789012')
  })
})

describe('errors of the client itself', () => {
  test('suggest similar names for an unknown model', async () => {
    const { fetch } = connect()
    const answer = await answerOf(await post(fetch, { ...params, model: 'claude-sonet-4-6' }))
    expect(answer).toMatchObject({ status: 404, type: 'not_found_error' })
    expect(answer.message).toContain('claude-sonnet-4-6')
  })

  test('enforce residency and the list of available models', async () => {
    for (const models of [{ residency: 'eu' }, { availableModels: ['haiku'] }]) {
      const { fake, fetch } = connect({}, {}, { models })
      expect(await answerOf(await post(fetch, params))).toMatchObject({ status: 404, type: 'not_found_error' })
      expect(fake.calls).toEqual([])
    }
  })

  test('report missing credentials', async () => {
    const fake = createFakeBedrock()
    const bedrock = createBedrockClient({
      region: 'us-east-1',
      fetch: fake.fetch,
      credentials: async () => {
        throw new Error('nobody here')
      },
    })
    expect(await answerOf(await post(anthropicFetch(bedrock), params))).toMatchObject({
      status: 401,
      type: 'authentication_error',
    })
  })

  test('report a timeout', async () => {
    const { fake, fetch } = connect({}, {}, { timeout: { total: 1 } })
    fake.fail('stall')
    expect(await answerOf(await post(fetch, params))).toMatchObject({ status: 504, type: 'timeout_error' })
  })

  test("hide a middleware's error, unless it is exposed", async () => {
    const middleware = [
      async () => {
        throw new TypeError('cannot read properties of /home/me')
      },
    ]
    const hidden = connect({}, {}, { middleware })
    expect(await answerOf(await post(hidden.fetch, params))).toMatchObject({
      status: 500,
      type: 'api_error',
      message: 'Internal error',
    })
    const shown = connect({}, { exposeUpstreamErrors: true }, { middleware })
    expect((await answerOf(await post(shown.fetch, params))).message).toContain('/home/me')
  })

  test('a long-lived signal keeps no reference to its requests', async () => {
    const { fake, fetch } = connect()
    const { signal } = new AbortController()
    for (const fault of ['throttling', 'not-found', 'stream-truncated', undefined] as const) {
      if (fault) fake.fail(fault)
      await (await post(fetch, { ...params, stream: true }, { signal })).text()
      await (await post(fetch, params, { signal })).text()
    }
    await expect.poll(() => getEventListeners(signal, 'abort').length).toBe(0)
  })

  test('an abort rejects with its reason, like any fetch', async () => {
    const { fake, fetch } = connect()
    const reason = new Error('enough')
    await expect(post(fetch, params, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(fake.calls).toEqual([])
    const controller = new AbortController()
    const response = await post(fetch, { ...params, stream: true }, { signal: controller.signal })
    controller.abort(reason)
    await expect(response.text()).rejects.toBe(reason)
    await expect.poll(() => fake.calls[0]?.aborted).toBe(true)
  })
})
