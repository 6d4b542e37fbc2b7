import { inspect } from 'node:util'
import { resolve } from 'node:path'
import { build } from 'esbuild'
import * as outcrop from 'outcrop'
import * as core from 'outcrop/core'
import { createFakeBedrock } from 'outcrop/testing'
import { enrich } from '../../src/core/errors.ts'
import { beforeEach, describe, expect, test } from 'vitest'

const src = resolve(import.meta.dirname, '../../src')
const classes = [
  'ConfigurationError',
  'CredentialsError',
  'ModelResolutionError',
  'ConnectionError',
  'TimeoutError',
  'ServiceError',
  'StreamError',
  'GuardrailError',
] as const

describe('the stack of an error', () => {
  const fake = createFakeBedrock()
  const bedrock = core.createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    retry: { attempts: 2, baseDelay: 1 },
  })
  const params = {
    model: 'us.anthropic.claude-sonnet-4-6',
    max_tokens: 10,
    messages: [{ role: 'user', content: 'Hi' }],
  }

  const complete = outcrop.createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    retry: { attempts: 2, baseDelay: 1 },
    middleware: [1, 2, 3, 4].map(() => async (request, next) => await next(request)),
  })

  test.each<[string, (given: never) => Promise<unknown>]>([
    ['a message', (given) => bedrock.messages.create(given)],
    ['a count', (given) => bedrock.messages.countTokens(given)],
    ['a message, through middleware', (given) => complete.messages.create(given)],
    ['a count, through middleware', (given) => complete.messages.countTokens(given)],
  ])('leads to the caller: %s', async (_, call) => {
    async function callOfTheUser(given: object): Promise<void> {
      await call(given as never)
    }
    fake.fail('throttling', { times: 2 })
    for (const given of [params, { ...params, model: 7 }, { ...params, model: 'sonet' }]) {
      const error = await callOfTheUser(given).catch((error: Error) => error)
      expect((error as Error).stack).toContain('callOfTheUser')
    }
  })

  const faults: readonly [string, object, () => void][] = [
    ['a refusal', params, () => fake.fail('throttling', { times: 2 })],
    ['a cut', params, () => fake.fail('stream-cut', { after: 3 })],
    ['silence', params, () => fake.fail('stream-stall', { after: 3 })],
    ['damage', params, () => fake.fail('stream-corrupt', { after: 3 })],
    ['an invalid model', { ...params, model: 7 }, () => {}],
  ]
  describe.each(faults)('of a stream leads to the caller: %s', (_, given, fail) => {
    beforeEach(() => {
      fake.reset()
      fail()
    })

    test.each<[string, (stream: ReturnType<typeof bedrock.messages.stream>) => Promise<unknown>]>([
      [
        'events',
        async (stream) => {
          for await (const event of stream) void event
        },
      ],
      [
        'textStream',
        async (stream) => {
          for await (const text of stream.textStream) void text
        },
      ],
      ['finalMessage', (stream) => stream.finalMessage()],
      ['finalText', (stream) => stream.finalText()],
      ['metadata', (stream) => stream.metadata],
      ['started', async (stream) => (await stream.started()).finalMessage()],
    ])('%s', async (_, read) => {
      async function callOfTheUser(): Promise<void> {
        await read(bedrock.messages.stream(given as never, { timeout: { idle: 20 } }))
      }
      const error = await callOfTheUser().catch((error: Error) => error)
      expect((error as Error).stack).toContain('callOfTheUser')
    })
  })
})

describe('the name of an error', () => {
  test('survives minification', async () => {
    const { outputFiles } = await build({
      stdin: { contents: `export { ${classes} } from './core/index.ts'`, resolveDir: src },
      bundle: true,
      minify: true,
      write: false,
      format: 'cjs',
      target: 'es2022',
      platform: 'neutral',
      alias: { '#platform': resolve(src, 'core/platform/web.ts') },
    })
    const module = { exports: {} as Record<string, new (...args: unknown[]) => Error> }
    new Function('module', 'exports', outputFiles[0]?.text as string)(module, module.exports)
    for (const name of classes) {
      const Class = module.exports[name] as new (...args: unknown[]) => Error
      const error = name === 'StreamError' ? new Class('stream_truncated', 'It ended') : new Class('It failed', {})
      expect(error.name).toBe(name)
      expect(inspect(error)).toMatch(new RegExp(`^${name}: It`))
      expect(String(error)).toMatch(new RegExp(`^${name}: It`))
    }
  })

  test('is that of a subclass', () => {
    class QuotaError extends core.ServiceError {}
    const error = new QuotaError('No', { status: 429 })
    expect([error.name, core.isBedrockError(error, 'service')]).toEqual(['QuotaError', true])
  })
})

describe('an error as JSON', () => {
  test('has its message and the fields of its class', () => {
    const error = new core.ServiceError('Too many', { status: 429, type: 'ThrottlingException', hint: 'Wait.' })
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      name: 'ServiceError',
      code: 'service',
      message: 'Too many',
      hint: 'Wait.',
      status: 429,
      type: 'ThrottlingException',
      retryable: false,
    })
    expect(JSON.parse(JSON.stringify({ error: new core.ConfigurationError('No') })).error.message).toBe('No')
  })
})

describe('fields that are known later', () => {
  test('are added in one place, and unknown ones are left as they are', () => {
    const error = new core.ServiceError('No', { status: 500, hint: 'First.' })
    expect(enrich(error, { attempts: 3, hint: undefined })).toBe(error)
    expect(error).toMatchObject({ attempts: 3, hint: 'First.' })
    expect(enrich(error, { hint: 'With password=example' }).hint).toBe('With password=[redacted]')
  })

  test('are those of the class', () => {
    const error = new core.ConfigurationError('No')
    // @ts-expect-error: what was never sent has no attempts
    enrich(error, { attempts: 3 })
    // @ts-expect-error: an error of the service has a status
    new core.ServiceError('No', {})
    // @ts-expect-error: a deadline has a phase
    new core.TimeoutError('No', {})
  })
})
