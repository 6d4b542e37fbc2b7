import { createBedrockClient, type FailedAttempt, isBedrockError } from 'outcrop'
import { createFakeBedrock } from 'outcrop/testing'
import { afterEach, describe, expect, test, vi } from 'vitest'

const params = { model: 'sonnet', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hi' }] }

const rejectionOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => expect.fail('it did not fail'),
    (error) => error,
  )

function setUp(options: Parameters<typeof createBedrockClient>[0] = {}) {
  const fake = createFakeBedrock()
  const lines: string[] = []
  const write = (level: string) => (message: string) => void lines.push(`${level}: ${message}`)
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    retry: { baseDelay: 0 },
    logger: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    ...options,
  })
  const calls = () => lines.filter((line) => /^info: (Invoke|Count)/.test(line))
  return { fake, bedrock, lines, calls }
}

afterEach(() => vi.restoreAllMocks())

describe('onRetry', () => {
  test('receives each retried attempt, with its error and delay', async () => {
    const { fake, bedrock } = setUp({ retry: { baseDelay: 8 }, random: () => 0.5 })
    fake.fail('throttling', { times: 2 })
    const heard: FailedAttempt[] = []
    const { metadata } = await bedrock.messages.create(params, { onRetry: (failed) => heard.push(failed) })
    expect(heard).toMatchObject([
      { attempt: 1, delay: 4, error: { status: 429, type: 'ThrottlingException', requestId: expect.any(String) } },
      { attempt: 2, delay: 8, error: { status: 429 } },
    ])
    expect(metadata.attempts).toBe(3)
  })

  test('receives a replay with new credentials', async () => {
    const fake = createFakeBedrock()
    const expired = { ...fake.identity, accessKeyId: 'AKIDEXAMPLEOLD' }
    const { bedrock } = setUp({
      fetch: fake.fetch,
      credentials: async ({ forceRefresh = false } = {}) => (forceRefresh ? fake.identity : expired),
    })
    const heard: FailedAttempt[] = []
    await bedrock.messages.create(params, { retry: false, onRetry: (failed) => heard.push(failed) })
    expect(heard).toMatchObject([{ attempt: 1, delay: 0, error: { status: 403 } }])
  })

  test('does not receive the final error', async () => {
    const { fake, bedrock } = setUp()
    fake.fail('throttling', { times: 3 })
    const heard: number[] = []
    const error = await rejectionOf(bedrock.messages.create(params, { onRetry: ({ attempt }) => heard.push(attempt) }))
    expect(isBedrockError(error, 'service') && error.attempts).toBe(3)
    expect(heard).toEqual([1, 2])
  })

  test('must be a function', async () => {
    const { fake, bedrock } = setUp()
    const call = bedrock.messages.create(params, { onRetry: true as never })
    await expect(call).rejects.toThrow('onRetry must be a function, not a boolean')
    expect(fake.calls).toEqual([])
  })
})

describe('the log', () => {
  test('has one line per call at info: operation, outcome, attempts, time, tokens, request ID', async () => {
    const { bedrock, lines } = setUp()
    const { metadata } = await bedrock.messages.create(params)
    const { inputTokens, outputTokens } = metadata.usage
    expect(lines).toEqual([
      expect.stringMatching(
        new RegExp(
          `^info: InvokeModel us.anthropic.claude-sonnet-4-6 status=200 attempts=1 ms=\\d+ inputTokens=${inputTokens} outputTokens=${outputTokens}( \\w+=\\d+)* requestId=${metadata.requestId}$`,
        ),
      ),
    ])
  })

  test("has a stream's line at its end", async () => {
    const { bedrock, calls } = setUp()
    const stream = await bedrock.messages.stream(params).started()
    expect(calls()).toEqual([])
    const { metadata } = await stream.finalMessage()
    expect(calls()).toEqual([
      expect.stringMatching(/^info: InvokeModelWithResponseStream \S+ status=200 attempts=1 ms=\d+ .*outputTokens=\d+/),
    ])
    expect(calls()[0]).toContain(`requestId=${metadata.requestId}`)
  })

  test("has each attempt at debug, with request IDs; the call's line counts them", async () => {
    const { fake, bedrock, lines } = setUp()
    fake.fail('throttling', { times: 1 })
    await bedrock.messages.create(params)
    expect(lines).toEqual([
      expect.stringMatching(
        /^debug: Attempt 1 failed \(.+\); retrying in 0 ms status=429 error=ThrottlingException requestId=[\da-f-]{36}$/,
      ),
      expect.stringMatching(/^info: InvokeModel \S+ status=200 attempts=2 /),
    ])
  })

  test('has the status, name and request ID of a failure', async () => {
    const { fake, bedrock, calls } = setUp({ retry: false })
    fake.fail('iam-denied')
    await rejectionOf(bedrock.messages.create(params))
    expect(calls()).toEqual([
      expect.stringMatching(
        /^info: InvokeModel \S+ status=403 error=AccessDeniedException attempts=1 ms=\d+ requestId=[\da-f-]{36}$/,
      ),
    ])
  })

  test('reports a stream that fails midway', async () => {
    const { fake, bedrock, calls } = setUp()
    fake.fail('stream-truncated', { after: 3 })
    await rejectionOf(bedrock.messages.stream(params).finalMessage())
    expect(calls()).toEqual([expect.stringMatching(/status=200 error=stream_truncated attempts=1 ms=\d+ .*requestId=/)])
  })

  test("reports the name of an abort's reason, whether or not the stream is being read", async () => {
    const { bedrock, calls } = setUp()
    const stream = await bedrock.messages.stream(params).started()
    stream.abort()
    await rejectionOf(stream.finalMessage())
    await expect.poll(calls).toEqual([expect.stringMatching(/status=200 error=AbortError attempts=1/)])
    await rejectionOf(bedrock.messages.create(params, { signal: AbortSignal.abort(new Error('over')) }))
    expect(calls()[1]).toMatch(/error=Error ms=\d+$/)
  })

  test('is also turned on by OUTCROP_LOG', async () => {
    const stderr = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { bedrock } = setUp({ logger: undefined, env: { OUTCROP_LOG: 'info' } })
    await bedrock.messages.countTokens(params)
    expect(stderr.mock.calls).toEqual([
      [expect.stringMatching(/^outcrop info: CountTokens \S+ status=200 attempts=1 ms=\d+ requestId=\S+$/)],
    ])
  })

  test('has no line for a call that is rejected before it is sent', async () => {
    const { bedrock, lines } = setUp()
    await rejectionOf(bedrock.messages.create({ ...params, model: 'us.x\nforged' }))
    await rejectionOf(bedrock.invoke({ model: { id: 'a\nb', source: 'explicit' }, body: {} }))
    expect(lines).toEqual([])
  })
})
