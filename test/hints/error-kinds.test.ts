import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createBedrockClient } from 'outcrop'
import { createFakeBedrock } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'
import * as kinds from '../../src/core/internal/error-kinds.ts'
import { hintFor } from '../../src/hints/hint-for.ts'
import { hintTable } from '../../src/hints/table.ts'
import { ServiceError } from 'outcrop'

const context = { model: 'MODEL', region: 'REGION', source: 'SOURCE' }

// Section by section as AWS's page has them, with the wordings that users have reported.
// https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
const wordings: [status: number, type: string, message: string, id: string][] = [
  [
    400,
    'ValidationException',
    'Invocation of model ID x with on-demand throughput isn’t supported.',
    'on-demand-throughput',
  ],
  [
    400,
    'ValidationException',
    "Invocation of model ID x with on-demand throughput isn't supported.",
    'on-demand-throughput',
  ],
  [400, 'ValidationException', 'The provided model identifier is invalid.', 'invalid-model-identifier'],
  [
    400,
    'ValidationException',
    "1 validation error detected: Value 'x' at 'modelId' failed to satisfy constraint: Member must satisfy regular expression pattern: y",
    'invalid-model-identifier',
  ],
  [400, 'ValidationException', 'Input is too long for requested model.', 'input-too-long'],
  [400, 'ValidationException', 'output_config: Extra inputs are not permitted', 'unknown-field'],
  [400, 'ValidationException', 'thinking.type.enabled is not supported for this model', 'unknown-field'],
  [400, 'ValidationException', 'This model does not support the effort parameter', 'unknown-field'],
  [400, 'ValidationException', 'invalid beta flag', 'unknown-field'],
  [400, 'ValidationException', 'Operation not allowed', 'model-access'],
  [400, 'ValidationException', 'anthropic_version: Input should be bedrock-2023-05-31', 'api-version'],
  [400, 'IncompleteSignature', 'The request signature does not conform to AWS standards.', 'signature-mismatch'],
  [400, 'NotAuthorized', 'You do not have permission to perform this action.', 'iam-permission'],
  [400, 'RequestExpired', 'The request reached the service more than 15 minutes after its date stamp.', 'clock-skew'],
  [400, 'ServiceQuotaExceededException', 'Your request exceeds a quota.', 'service-quota'],
  [403, 'AccessDeniedException', "You don't have access to the model with the specified model ID.", 'model-access'],
  [403, 'AccessDeniedException', 'Your account is not authorized to invoke this API operation.', 'model-access'],
  [
    403,
    'AccessDeniedException',
    'User: arn:aws:iam::123456789012:user/me is not authorized to perform: bedrock:InvokeModel on resource: x because no identity-based policy allows the action',
    'iam-permission',
  ],
  [
    403,
    'AccessDeniedException',
    'User: x is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:us-west-2::foundation-model/y with an explicit deny in a service control policy: z',
    'service-control-policy',
  ],
  [
    403,
    'AccessDeniedException',
    'Model access is denied: not authorized to perform the required AWS Marketplace actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe)',
    'marketplace-subscription',
  ],
  [403, 'MPAgreementBeingCreated', 'The agreement is being created.', 'marketplace-subscription'],
  [
    403,
    'AccessDeniedException',
    'Your AWS Marketplace subscription for this model is still being processed.',
    'marketplace-subscription',
  ],
  [403, 'ExpiredTokenException', 'The security token included in the request is expired', 'expired-credentials'],
  [403, 'UnrecognizedClientException', 'The security token included in the request is invalid.', 'invalid-credentials'],
  [403, 'InvalidClientTokenId', 'The security token included in the request is invalid.', 'invalid-credentials'],
  [
    403,
    'InvalidSignatureException',
    'Signature expired: 20261120T120000Z is now earlier than 20261120T121000Z',
    'clock-skew',
  ],
  [
    403,
    'InvalidSignatureException',
    'The request signature we calculated does not match the signature you provided.',
    'signature-mismatch',
  ],
  [403, 'MissingAuthenticationTokenException', 'Missing Authentication Token', 'missing-authorization'],
  [403, 'UnknownError', 'Authentication failed: Please make sure your API Key is valid.', 'api-key-region'],
  [403, 'UnknownError', 'Bearer Token has expired', 'expired-api-key'],
  [403, 'UnknownError', 'Authorization header is missing', 'missing-authorization'],
  [
    404,
    'ResourceNotFoundException',
    'Model use case details have not been submitted for this account.',
    'use-case-form',
  ],
  [
    404,
    'ResourceNotFoundException',
    'Access denied. This Model is marked by provider as Legacy and you have not been actively using the model in the last 15 days.',
    'legacy-model',
  ],
  [404, 'ResourceNotFoundException', 'This model version has reached the end of its life.', 'retired-model'],
  [404, 'ResourceNotFoundException', 'Could not find it.', 'not-found'],
  [408, 'ModelTimeoutException', 'The model took too long.', 'model-timeout'],
  [424, 'ModelErrorException', 'The model failed.', 'model-error'],
  [429, 'ThrottlingException', 'Too many requests, please wait before trying again.', 'throttling'],
  [429, 'ThrottlingException', 'Too many tokens, please wait before trying again.', 'throttling'],
  [429, 'ThrottlingException', 'Too many tokens per day, please wait before trying again.', 'daily-quota'],
  [429, 'ModelNotReadyException', 'The model is not ready.', 'model-not-ready'],
  [500, 'InternalServerException', 'The system encountered an unexpected error.', 'internal-error'],
  [503, 'ServiceUnavailableException', 'Bedrock is unable to process your request.', 'capacity'],
]

describe("each error in AWS's documentation has a hint", () => {
  test.each(wordings)('%i %s: %s', (status, type, message, id) => {
    const hint = hintFor(new ServiceError(message, { status, type }), context)
    expect(hint).toContain(`docs/troubleshooting.md#${id}`)
  })

  test('no hint is vague about a place, and every apostrophe is ASCII', () => {
    for (const [status, type, message] of wordings) {
      const hint = hintFor(new ServiceError(message, { status, type }), context)
      expect(hint).not.toMatch(/this region|this model|where they are set|[‘’“”]/)
    }
  })

  test.each([
    [400, 'ValidationException', 'max_tokens: must be positive'],
    [404, 'ValidationException', 'anthropic_version is missing', 'not-found'],
    [500, 'ValidationException', 'invalid beta flag'],
    [400, 'ValidationException', 'A guardrail with a cross-region profile', 'guardrail-cross-region'],
    [400, 'ValidationException', 'The crossRegionConfig of this guardrail is wrong', 'guardrail-cross-region'],
    [400, 'ValidationException', 'The guardrail is in another region', 'unknown-guardrail'],
  ])('%i %s: %s', (status, type, message, id?: string) => {
    const hint = hintFor(new ServiceError(message, { status, type }), context)
    if (id) expect(hint).toContain(`docs/troubleshooting.md#${id}`)
    else expect(hint).toBeUndefined()
  })

  test.each(['CountTokens', 'Counting tokens', 'count_tokens', 'Token counting: counttokens'])(
    'knows a model that cannot be counted by "%s"',
    (words) => {
      expect(kinds.isOfKind({ message: `${words} is not supported for this model` }, kinds.uncountable)).toBe(true)
      expect(kinds.isOfKind({ message: 'Too many tokens' }, kinds.uncountable)).toBe(false)
    },
  )

  test('each row can occur', () => {
    const reached = new Set(
      wordings
        .map(([status, type, message]) => new ServiceError(message, { status, type }))
        .map((error) => hintTable.findIndex(([, kind]) => kinds.isOfKind(error, kind))),
    )
    const rows = hintTable.map(([id], index) => (reached.has(index) ? undefined : id)).filter(Boolean)
    // Of guardrails and caching AWS documents no wording.
    expect(rows).toEqual(['guardrail-cross-region', 'unknown-guardrail', 'prompt-caching'])
  })
})

test('a hint only adds text to an error', async () => {
  const fake = createFakeBedrock()
  fake.fail('iam-denied', { times: 2 })
  const params = {
    model: 'us.anthropic.claude-sonnet-4-6',
    max_tokens: 1,
    messages: [{ role: 'user' as const, content: 'Hi' }],
  }
  const { createBedrockClient: createCoreClient } = await import('outcrop/core')
  const options = { region: fake.region, credentials: fake.identity, fetch: fake.fetch, retry: false as const }
  const errors = await Promise.all(
    [createBedrockClient(options), createCoreClient(options)].map((bedrock) =>
      bedrock.messages.create(params).catch((error) => error),
    ),
  )
  const [hinted, bare] = errors.map(({ hint, requestId, ...rest }) => ({ ...rest }))
  expect(errors[0].hint).toBeDefined()
  expect(hinted).toEqual(bare)
})

test("no other file matches the words of AWS's errors", () => {
  const src = resolve(import.meta.dirname, '../../src')
  const words =
    /ExpiredToken|UnrecognizedClient|InvalidSignature|on-demand throughput|per day|API key is valid|token has expired|Extra inputs|not authorized to perform|is too long|beta flag/i
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !/^testing\//.test(file) && file !== 'core/internal/error-kinds.ts',
  )
  const regex = /\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\/[a-z]*\.(?:test|exec)\(/g
  const matching = files.flatMap((file) =>
    (readFileSync(join(src, file), 'utf8').match(regex) ?? [])
      .filter((text) => words.test(text))
      .map((text) => `${file}: ${text}`),
  )
  // Which permission is missing, to name it; the kind of the error was told before.
  const named = ['anthropic/errors.ts: /prompt is too long/i.test(']
  expect(matching.filter((text) => !named.includes(text) && !text.startsWith('compatibility/learning'))).toEqual([
    'hints/table.ts: /not authorized to perform: ([\\w-]{1,64}:\\w{1,64})/.exec(',
  ])
})
