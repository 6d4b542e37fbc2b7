import { createModelResolver, type ModelResolverOptions, parseModelId } from 'outcrop/models'
import { describe, expect, test } from 'vitest'
import { ServiceError } from '../../src/core/errors.ts'
import type { BedrockRequest, BedrockResponse, MiddlewareContext, ModelRef } from '../../src/core/types.ts'
import { autoProfile } from '../../src/models/auto-profile.ts'
import { recordingLogger, resolutionContext, standingClock } from './support.ts'

const answer = { type: 'json', body: {} } as BedrockResponse
const refusal = (apostrophe: string, id = 'anthropic.claude-sonnet-4-6') =>
  new ServiceError(
    `Invocation of model ID ${id} with on-demand throughput isn${apostrophe}t supported. Retry your request with the ID or ARN of an inference profile that contains this model.`,
    { status: 400, type: 'ValidationException', retryable: false },
  )

async function call(
  id: string,
  {
    region = 'eu-west-1',
    error = refusal('’'),
    ...options
  }: ModelResolverOptions & { region?: string; error?: Error } = {},
) {
  const { logger, lines } = recordingLogger()
  const middleware = autoProfile(createModelResolver(options))
  const { base, geo } = parseModelId(id)
  const model: ModelRef = { id, base, geo, region, source: 'explicit' }
  const request: BedrockRequest = { operation: 'InvokeModel', model, body: {}, headers: {}, options: {} }
  const context: MiddlewareContext = {
    ...resolutionContext({ region, logger }),
    model,
    endpoint: `https://bedrock-runtime.${region}.amazonaws.com`,
    timeout: {},
    retry: undefined,
    resolve: async () => model,
    inner: [],
    identity: async () => undefined,
    clock: standingClock(),
  }
  const sent: ModelRef[] = []
  const next = async (passed: BedrockRequest) => {
    sent.push(passed.model as ModelRef)
    if ((passed.model as ModelRef).id === id) throw error
    return answer
  }
  const once = () => middleware(request, next, context)
  const outcome = await once().catch((thrown: unknown) => thrown)
  return { sent: sent.map((ref) => ref.id), outcome, lines, once }
}

describe('autoProfile', () => {
  test.each(["'", '’'])(
    "repeats the call once through the profile, with either apostrophe in AWS's message: %s",
    async (apostrophe) => {
      const { sent, outcome } = await call('anthropic.claude-sonnet-4-6', { error: refusal(apostrophe) })
      expect(outcome).toBe(answer)
      expect(sent).toEqual(['anthropic.claude-sonnet-4-6', 'eu.anthropic.claude-sonnet-4-6'])
    },
  )

  test('warns once', async () => {
    const { lines, once } = await call('anthropic.claude-sonnet-4-6')
    await once()
    expect(lines).toEqual([
      'warn: anthropic.claude-sonnet-4-6 cannot be called by its base ID in eu-west-1; calling eu.anthropic.claude-sonnet-4-6 instead',
    ])
  })

  test("works for a foundation model's ARN", async () => {
    const { sent } = await call('arn:aws:bedrock:ap-northeast-1::foundation-model/anthropic.claude-opus-5-5', {
      region: 'ap-northeast-1',
    })
    expect(sent[1]).toBe('jp.anthropic.claude-opus-5-5')
  })

  test('respects the residency', async () => {
    const { sent, outcome } = await call('anthropic.claude-fable-5', { residency: 'eu' })
    expect(sent).toHaveLength(1)
    expect(outcome).toBeInstanceOf(ServiceError)
  })

  test.each([
    [
      'another error',
      'anthropic.claude-sonnet-4-6',
      new ServiceError('The provided model identifier is invalid.', {
        status: 400,
        type: 'ValidationException',
        retryable: false,
      }),
    ],
    ['an unknown model', 'meta.llama9-70b-instruct-v1:0', refusal('’')],
    ['a profile', 'us.anthropic.claude-sonnet-4-6', refusal('’')],
    ['an opaque ARN', 'arn:aws:bedrock:eu-west-1:123456789012:provisioned-model/abc', refusal('’')],
  ])('leaves %s alone', async (_, id, error) => {
    const { sent, outcome } = await call(id, { error })
    expect(sent).toHaveLength(1)
    expect(outcome).toBe(error)
  })
})
