import { createBedrockClient, type ServiceError } from 'outcrop/core'
import { discoverInferenceProfiles } from 'outcrop/models'
import { describe, expect, test } from 'vitest'
import { keys } from './capture.ts'

const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 10,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}
const now = Date.UTC(2026, 10, 26)

/** Returns the error that a response becomes. */
async function errorFor(body: string | object, headers: Record<string, string> = {}, status = 400) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const bedrock = createBedrockClient({
    region: 'us-east-1',
    credentials: keys,
    retry: false,
    clock: { now: () => now, setTimeout: () => undefined, clearTimeout: () => {} },
    fetch: async () => new Response(text, { status, headers }),
  })
  return bedrock.messages.create(params).then(
    () => expect.unreachable('the call should have failed'),
    (error) => error as ServiceError,
  )
}

describe('the type of an error', () => {
  test.each<[string, string, object]>([
    ['ValidationException', 'ValidationException', {}],
    ['ValidationException:http://internal.amazon.com/coral/', 'ValidationException', {}],
    ['ValidationException, Other', 'ValidationException', {}],
    ['com.amazon.bedrock#ValidationException', 'ValidationException', {}],
    ['a#b#Validation.Exception', 'Validation.Exception', {}],
    ['', 'FromCode', { code: 'FromCode', __type: 'FromType' }],
    ['', 'FromType', { __type: 'aws#FromType' }],
    ['', 'FromType', { __type: ' aws# FromType ' }],
    ['FromHeader', 'FromHeader', { code: 'FromCode' }],
    ['', 'UnknownError', { code: 7 }],
    ['4Exception', 'UnknownError', {}],
    ['No Exception', 'UnknownError', {}],
    ['A'.repeat(128), 'A'.repeat(128), {}],
    ['A'.repeat(129), 'UnknownError', {}],
  ])('%j: %s, of %j', async (header, type, body) => {
    const error = await errorFor({ message: 'No', ...body }, header ? { 'x-amzn-errortype': header } : {})
    expect([error.type, error.message]).toEqual([type, 'No'])
  })
})

describe('the message of an error', () => {
  test.each<[string | object, string]>([
    [{ message: 'one', Message: 'two' }, 'one'],
    [{ Message: 'two' }, 'two'],
    [{ message: '' }, 'HTTP 400: {"message":""}'],
    [{ message: 7 }, 'HTTP 400: {"message":7}'],
    [{ detail: 'no' }, 'HTTP 400: {"detail":"no"}'],
    [{}, 'HTTP 400 without a message'],
    ['', 'HTTP 400 without a message'],
    [' \n ', 'HTTP 400 without a message'],
    ['upstream  gone', 'HTTP 400: upstream gone'],
    [
      '<html><STYLE>p { color: red }</style><script>let a = 1</SCRIPT><body><p>Not</p><p>here</p><style>b',
      'HTTP 400: Not here',
    ],
    ['1 < 2 > 1', 'HTTP 400: 1 1'],
    ['x'.repeat(400), `HTTP 400: ${'x'.repeat(300)}`],
  ])('%j: %s', async (body, message) => {
    expect((await errorFor(body)).message).toBe(message)
  })
})

describe('the request ID', () => {
  const id = '0f3b1c1e-8c8e-4b0e-9d53-6d2f5a1c2b3d'
  test.each<[Record<string, string>, string | undefined]>([
    [{ 'x-amzn-requestid': id }, id],
    [{ 'x-amzn-request-id': 'of-a-gateway' }, 'of-a-gateway'],
    [{ 'x-amz-request-id': 'A1:b/c=' }, 'A1:b/c='],
    [{ 'x-amz-request-id': 'last', 'x-amzn-request-id': 'second', 'x-amzn-requestid': 'first' }, 'first'],
    [{ 'x-amz-request-id': 'last', 'x-amzn-request-id': 'second' }, 'second'],
    [{ 'x-amzn-requestid': '' }, undefined],
    [{}, undefined],
    [{ 'x-amzn-requestid': 'two words' }, undefined],
    [{ 'x-amzn-requestid': `bedrock-api-key-${id}` }, undefined],
    [{ 'x-amzn-requestid': `${id}-secret-example` }, undefined],
    [{ 'x-amzn-requestid': 'a'.repeat(128) }, 'a'.repeat(128)],
    [{ 'x-amzn-requestid': 'a'.repeat(129) }, undefined],
  ])('%j: %s', async (headers, requestId) => {
    expect((await errorFor({ message: 'No' }, headers)).requestId).toBe(requestId)
  })
})

describe('whether a retry may help', () => {
  test.each<[number, boolean, object?, Record<string, string>?]>([
    ...[400, 401, 403, 404, 409, 413, 422, 425, 501, 505, 530].map((status) => [status, false] as [number, boolean]),
    ...[408, 429, 500, 502, 503, 504, 529].map((status) => [status, true] as [number, boolean]),
    [424, false],
    [424, true, { __type: 'ModelStreamErrorException' }],
    [424, true, { originalStatusCode: 500 }],
    [424, false, { originalStatusCode: 499 }],
    [424, false, { originalStatusCode: '500' }],
    [429, false, { message: 'Too many tokens per day' }],
    [429, false, { __type: 'ServiceQuotaExceededException' }],
    [400, true, {}, { 'x-should-retry': 'true' }],
    [500, false, {}, { 'x-should-retry': 'false' }],
    [500, true, {}, { 'x-should-retry': 'perhaps' }],
  ])('%d: %s, of %j and %j', async (status, retryable, body = {}, headers = {}) => {
    expect((await errorFor({ message: 'No', ...body }, headers, status)).retryable).toBe(retryable)
  })
})

describe('how long to wait', () => {
  test.each<[Record<string, string>, number | undefined]>([
    [{}, undefined],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '1.5' }, 1500],
    [{ 'retry-after': new Date(now + 7000).toUTCString() }, 7000],
    [{ 'retry-after': new Date(now - 7000).toUTCString() }, 0],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '' }, undefined],
    [{ 'retry-after-ms': '0' }, 0],
    [{ 'retry-after-ms': '12', 'x-amz-retry-after': '34', 'retry-after': '5' }, 12],
    [{ 'x-amz-retry-after': '34', 'retry-after': '5' }, 34],
    [{ 'retry-after-ms': 'soon', 'retry-after': '5' }, 5000],
    [{ 'retry-after-ms': '-1', 'retry-after': '5' }, 5000],
  ])('%j: %s', async (headers, retryAfter) => {
    expect((await errorFor({ message: 'No' }, headers, 429)).retryAfter).toBe(retryAfter)
  })
})

test('an error with the original status of the model has it', async () => {
  expect(await errorFor({ message: 'No', originalStatusCode: 503 }, {}, 424)).toMatchObject({ originalStatusCode: 503 })
})

test.each<[unknown, string]>([
  [7, 'Not an AWS Region: number'],
  ['us-east-1.evil.example', 'Not an AWS Region: "us-east-1.evil.example"'],
  ['US-EAST-1', 'Not an AWS Region: "US-EAST-1"'],
  [`${'us-'.repeat(21)}east-1`, `Not an AWS Region: "${'us-'.repeat(21)}e"`],
  ['x'.repeat(100), `Not an AWS Region: "${'x'.repeat(64)}"`],
])('a call for the Region %j is refused', async (region, message) => {
  const bedrock = createBedrockClient({ region: 'us-east-1', credentials: keys, fetch: () => expect.unreachable() })
  await expect(bedrock.fetch('/inference-profiles', { region: region as never })).rejects.toMatchObject({
    code: 'configuration',
    message,
    hint: 'Use a Region such as us-east-1.',
  })
})

describe('a response of the control plane', () => {
  const discover = (body: string, status = 200) => {
    const headers = { 'x-amzn-requestid': 'of-the-control-plane' }
    const fetch = async () => new Response(body, { status, headers })
    return discoverInferenceProfiles(createBedrockClient({ region: 'us-east-1', credentials: keys, fetch }).fetch)
  }
  const requestId = 'of-the-control-plane'

  test('that is truncated rejects with a ConnectionError', async () => {
    for (const body of ['{"inferenceProfileSummaries":[', '', '[]'])
      await expect(discover(body)).rejects.toMatchObject({ code: 'connection', requestId })
  })

  test('to an unknown path rejects with a ServiceError, although its status is 200', async () => {
    const body = '{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}'
    const expected = { code: 'service', type: 'UnknownOperationException', status: 200, requestId }
    await expect(discover(body)).rejects.toMatchObject(expected)
  })

  test('with another status rejects with its error', async () => {
    const expected = { code: 'service', status: 404, message: 'No', requestId }
    await expect(discover('{"message":"No"}', 404)).rejects.toMatchObject(expected)
  })
})
