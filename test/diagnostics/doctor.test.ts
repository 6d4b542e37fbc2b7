import { type BedrockClientOptions, type CredentialProvider, createBedrockClient, CredentialsError } from 'outcrop'
import { type CheckResult, type DoctorOptions, isHealthy, runDoctor } from 'outcrop/diagnostics'
import { createBedrockApiKey } from 'outcrop/credentials'
import { createFakeBedrock, type FakeBedrock, type FakeBedrockOptions } from 'outcrop/testing'
import { describe, expect, test } from 'vitest'

const day = 86_400_000

async function examine(
  fake: FakeBedrock,
  options: Partial<DoctorOptions> = {},
  clientOptions: BedrockClientOptions = {},
): Promise<CheckResult[]> {
  const { region, identity, fetch } = fake
  const client = createBedrockClient({ region, credentials: identity, fetch, retry: false, ...clientOptions })
  const results: CheckResult[] = []
  const credentials = async (): Promise<typeof identity> => identity
  for await (const result of runDoctor({ client, region, credentials, fetch, ...options })) results.push(result)
  return results
}

function row(results: readonly CheckResult[], check: string, subject?: string): CheckResult | undefined {
  return results.find((each) => each.check === check && (subject === undefined || each.subject === subject))
}

const statusOf = async (
  check: string,
  fakeOptions: FakeBedrockOptions,
  options: Partial<DoctorOptions> = {},
  prepare: (fake: FakeBedrock) => void = () => {},
): Promise<CheckResult | undefined> => {
  const fake = createFakeBedrock(fakeOptions)
  prepare(fake)
  return row(await examine(fake, options), check)
}

test('a correct setup passes every check', async () => {
  const crossing = { identifier: 'gr1', versions: ['1'], blockedWords: [], crossRegionProfile: 'us.guardrail.v1:0' }
  const fake = createFakeBedrock({ guardrails: [crossing] })
  const results = await examine(fake, {
    regionSource: 'AWS_REGION',
    guardrail: { identifier: 'gr1', version: '1' },
    invoke: true,
  })
  expect(results.filter(({ status }) => status !== 'ok')).toEqual([])
  expect(isHealthy(results)).toBe(true)
  expect(results.map(({ check }) => check)).toEqual([
    ...['region', 'endpoint', 'clock', 'identity', 'inference profiles', 'use-case form'],
    ...['model', 'profile', 'access', 'call', 'model', 'profile', 'access', 'call', 'guardrail'],
  ])
  expect(row(results, 'region')?.message).toContain('AWS_REGION')
  expect(row(results, 'identity')?.message).toContain('arn:aws:iam::123456789012:user/me')
  expect(fake.calls.filter(({ operation }) => operation === 'InvokeModel')).toHaveLength(2)
  expect(fake.calls.every(({ signature, path }) => signature.valid || path === '/ping')).toBe(true)
})

test('calls no model without --invoke', async () => {
  const fake = createFakeBedrock()
  await examine(fake)
  expect(fake.calls.some(({ operation }) => operation === 'InvokeModel')).toBe(false)
})

test('sends unsigned requests as the client does: the ping, STS and requests for credentials', async () => {
  const fake = createFakeBedrock()
  const { region, identity, fetch } = fake
  const credentials: CredentialProvider = async (options) => {
    await options?.fetch?.('https://vault.example.com/keys')
    return identity
  }
  const client = createBedrockClient({ region, credentials, fetch, retry: false })
  const results: CheckResult[] = []
  for await (const result of runDoctor({ client, region, credentials })) results.push(result)
  expect(results.filter(({ status }) => status !== 'ok')).toEqual([])
  for (const path of ['/ping', '/keys']) expect(fake.calls.map((call) => call.path)).toContain(path)
  expect(fake.calls.map(({ operation }) => operation)).toContain('STS')
})

describe('endpoint', () => {
  test.each([
    ['ENOTFOUND', /cannot be reached: ENOTFOUND/, /DNS/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /SELF_SIGNED/, /NODE_EXTRA_CA_CERTS/],
  ])('%s is a failure', async (code, message, next) => {
    const fetch = async (): Promise<Response> => {
      throw Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error(code), { code }) })
    }
    const results = await examine(createFakeBedrock(), { fetch }, { fetch })
    expect(row(results, 'endpoint')).toMatchObject({ status: 'failure', message: expect.stringMatching(message) })
    expect(row(results, 'endpoint')?.next).toMatch(next)
    // It stops nowhere.
    expect(row(results, 'model', 'small')).toBeDefined()
  })

  test('a permanent failure says so', async () => {
    const results = await examine(createFakeBedrock(), { endpoint: 'http://example.com' })
    expect(row(results, 'endpoint')).toMatchObject({
      status: 'failure',
      message: expect.stringContaining('plain http'),
    })
  })

  test.each([
    [0, 'ok'],
    [90_000, 'warning'],
    [-90_000, 'warning'],
  ])('warns about a clock that is off by %d ms', async (drift, status) => {
    const fake = createFakeBedrock()
    const now = Date.UTC(2026, 10, 20)
    const fetch: typeof globalThis.fetch = async (input, init) => {
      if (!String(input).endsWith('/ping')) return fake.fetch(input, init)
      return new Response('', { headers: { date: new Date(now + drift).toUTCString() } })
    }
    const results = await examine(fake, { fetch, now: () => now })
    expect(row(results, 'clock')?.status).toBe(status)
  })
})

describe('identity', () => {
  test('missing credentials are a failure that names the command to run', async () => {
    const credentials = async (): Promise<never> => {
      throw new CredentialsError('The SSO session has expired', { command: 'aws sso login --profile dev' })
    }
    expect(row(await examine(createFakeBedrock(), { credentials }), 'identity')).toMatchObject({
      status: 'failure',
      next: 'Run `aws sso login --profile dev`.',
    })
  })

  test('unknown keys are a failure without the secret', async () => {
    const keys = { accessKeyId: 'AKIDOTHEREXAMPLE', secretAccessKey: 'secret-of-another' }
    const results = await examine(createFakeBedrock(), { credentials: async () => keys })
    expect(row(results, 'identity')).toMatchObject({ status: 'failure', message: expect.stringContaining('AKID…MPLE') })
    expect(JSON.stringify(results)).not.toContain(keys.secretAccessKey)
    expect(JSON.stringify(results)).not.toContain(keys.accessKeyId)
  })

  test.each([
    [-1000, 'failure', /expired at/],
    [300_000, 'warning', /until/],
    [day, 'ok', /until/],
  ])('keys with %d ms left', async (left, status, message) => {
    const fake = createFakeBedrock()
    const identity = { ...fake.identity, expiration: new Date(Date.now() + left) }
    const found = row(await examine(fake, { credentials: async () => identity }), 'identity')
    expect(found?.status).toBe(status)
    expect(found?.message).toMatch(message)
  })

  test.each([
    [
      'XML',
      '<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>Wrong &amp; gone.</Message></Error></ErrorResponse>',
    ],
    ['JSON', '{"Error":{"Code":"InvalidClientTokenId","Message":"Wrong & gone.","Type":"Sender"},"RequestId":"1"}'],
    ['JSON from a proxy', '{"__type":"com.amazonaws.sts#InvalidClientTokenId","message":"Wrong & gone."}'],
  ])('an error of STS in %s has the same row', async (_, body) => {
    const fake = createFakeBedrock()
    const fetch: typeof globalThis.fetch = async (input, init) =>
      String(input).includes('//sts.') ? new Response(body, { status: 403 }) : fake.fetch(input, init)
    expect(row(await examine(fake, { fetch }), 'identity')).toMatchObject({
      status: 'failure',
      message: expect.stringContaining('Wrong & gone.'),
    })
  })

  test('an unreachable STS is a note', async () => {
    const fake = createFakeBedrock()
    const fetch: typeof globalThis.fetch = async (input, init) => {
      if (String(input).includes('//sts.')) throw new TypeError('fetch failed')
      return fake.fetch(input, init)
    }
    expect(row(await examine(fake, { fetch }), 'identity')?.status).toBe('note')
  })

  test('an API key is described', async () => {
    const token = 'api-key-of-an-example'
    const fake = createFakeBedrock({ identities: [{ token }] })
    const results = await examine(fake, { credentials: async () => ({ token }) }, { credentials: { token } })
    expect(row(results, 'identity')).toMatchObject({ status: 'ok', message: expect.stringContaining('API key') })
    expect(JSON.stringify(results)).not.toContain(token)
  })

  test('a gateway that signs has no identity', async () => {
    expect(row(await examine(createFakeBedrock(), { credentials: undefined }), 'identity')?.status).toBe('note')
  })
})

describe('one row for one cause', () => {
  const failures = (results: readonly CheckResult[]) =>
    results.filter(({ status }) => status === 'failure').map(({ check }) => check)
  const last = 'inference profiles, use-case form, access default, call default, access small, call small'

  test('missing credentials', async () => {
    const credentials = async (): Promise<never> => {
      throw new CredentialsError('No source has credentials', { hint: 'Run `aws configure`.' })
    }
    const results = await examine(createFakeBedrock(), { credentials, invoke: true }, { credentials })
    expect(failures(results)).toEqual(['identity'])
    expect(results.at(-1)).toMatchObject({ check: 'not known', status: 'note', message: expect.stringContaining(last) })
  })

  test('refused keys', async () => {
    const keys = { accessKeyId: 'AKIDOTHEREXAMPLE', secretAccessKey: 'secret-of-another' }
    const results = await examine(createFakeBedrock(), { credentials: async () => keys }, { credentials: keys })
    expect(failures(results)).toEqual(['identity'])
  })

  test('a refused API key', async () => {
    const key = { token: 'api-key-of-an-example' }
    const results = await examine(createFakeBedrock(), { credentials: async () => key }, { credentials: key })
    expect(failures(results)).toEqual(['inference profiles'])
  })

  test('no connection', async () => {
    const fetch = async (): Promise<Response> => {
      throw Object.assign(new TypeError('fetch failed'), { cause: new Error('getaddrinfo ENOTFOUND') })
    }
    expect(failures(await examine(createFakeBedrock(), { fetch, invoke: true }, { fetch }))).toEqual(['endpoint'])
  })

  test('a use-case form that is not submitted', async () => {
    const fake = createFakeBedrock({ models: { useCaseForm: false } })
    expect(failures(await examine(fake, { invoke: true }))).toEqual(['use-case form'])
  })
})

test('names the Region and the source of the credentials in what to do next', async () => {
  const fake = createFakeBedrock({ region: 'eu-west-1' })
  const identity = { ...fake.identity, source: { name: 'profile', profile: 'dev' } }
  fake.fail('invalid-token', { times: 50 })
  const results = await examine(fake, { credentials: async () => identity }, { credentials: identity })
  const told = results.map(({ next }) => next).join(' ')
  expect(told).toContain('profile dev')
  expect(told).not.toMatch(/this region|where they are set/)
  expect(
    (await examine(createFakeBedrock({ models: { systemProfiles: [] } }))).find(
      ({ check }) => check === 'inference profiles',
    )?.next,
  ).toContain('us-east-1')
})

describe('inference profiles', () => {
  test('an empty list is a warning', async () => {
    const found = await statusOf('inference profiles', { models: { systemProfiles: [] } })
    expect(found).toMatchObject({ status: 'warning', next: expect.stringContaining('AWS_REGION') })
  })
  test('a missing permission is a note', async () => {
    const found = await statusOf('inference profiles', { models: { denied: ['bedrock:ListInferenceProfiles'] } })
    expect(found).toMatchObject({ status: 'note', message: expect.stringContaining('bedrock:ListInferenceProfiles') })
  })
  test('an error is a failure', async () => {
    const found = await statusOf('inference profiles', {}, {}, (fake) =>
      fake.fail('internal', { operation: 'ListInferenceProfiles' }),
    )
    expect(found?.status).toBe('failure')
  })
})

describe('use-case form', () => {
  test('a form that is not submitted is a failure that says where to submit it', async () => {
    const found = await statusOf('use-case form', { models: { useCaseForm: false } })
    expect(found).toMatchObject({ status: 'failure', next: expect.stringContaining('playground') })
  })
  test('a missing permission is a note', async () => {
    const found = await statusOf('use-case form', { models: { denied: ['bedrock:GetUseCaseForModelAccess'] } })
    expect(found?.status).toBe('note')
  })
})

describe('model', () => {
  test('an unknown name is a failure', async () => {
    const found = await statusOf('model', {}, { models: ['sonet'] })
    expect(found).toMatchObject({ status: 'failure', subject: 'sonet' })
  })
  test('a retired model is a failure, even if another one would be used', async () => {
    const found = await statusOf('model', {}, { models: ['us.anthropic.claude-sonnet-4-20250514-v1:0'] })
    expect(found).toMatchObject({ status: 'failure', message: expect.stringContaining('retired') })
  })
  test('a legacy model is a warning', async () => {
    const found = await statusOf('model', {}, { models: ['us.anthropic.claude-opus-4-1-20250805-v1:0'] })
    expect(found).toMatchObject({ status: 'warning', message: expect.stringContaining('Legacy') })
  })
  test('shows the minimum of tokens for prompt caching', async () => {
    const found = await statusOf('model', {}, { models: ['sonnet'] })
    expect(found?.message).toMatch(/prompt caching from \d+ tokens/)
  })
})

describe('access', () => {
  const base = 'anthropic.claude-sonnet-4-6'
  test.each([
    ['not authorized', { authorizationStatus: 'NOT_AUTHORIZED' }, 'failure', /Support/],
    ['no agreement', { agreementAvailability: { status: 'NOT_AVAILABLE' } }, 'failure', /aws-marketplace:Subscribe/],
    ['not entitled', { entitlementAvailability: 'NOT_AVAILABLE' }, 'failure', /aws-marketplace/],
    ['a pending agreement', { agreementAvailability: { status: 'PENDING' } }, 'warning', /15 minutes/],
    ['another Region', { regionAvailability: 'NOT_AVAILABLE' }, 'note', undefined],
  ])('reports %s', async (_, availability, status, next) => {
    const models = { availability: { [base]: availability } }
    const found = await statusOf('access', { models }, { models: ['sonnet'] })
    expect(found?.status).toBe(status)
    if (next) expect(found?.next).toMatch(next)
  })
  test('a missing permission is a note', async () => {
    const found = await statusOf('access', { models: { denied: ['bedrock:GetFoundationModelAvailability'] } })
    expect(found?.status).toBe('note')
  })
})

test("call: shows the model's answer with --invoke", async () => {
  const found = await statusOf('call', {}, { models: ['sonnet'], invoke: true }, (fake) =>
    fake.fail('use-case-form', { operation: 'InvokeModel' }),
  )
  expect(found).toMatchObject({ status: 'failure', next: expect.stringContaining('use case form') })
})

describe('guardrail', () => {
  const guardrails = [{ identifier: 'gr1', versions: ['1', 'DRAFT'], blockedWords: [] }]
  test('a missing version is a failure', async () => {
    const found = await statusOf('guardrail', { guardrails }, { guardrail: { identifier: 'gr1', version: '7' } })
    expect(found).toMatchObject({ status: 'failure', next: expect.stringContaining('list-guardrails') })
  })
  test('a missing permission is a note', async () => {
    const found = await statusOf(
      'guardrail',
      { guardrails, models: { denied: ['bedrock:GetGuardrail'] } },
      { guardrail: { identifier: 'gr1', version: '1' } },
    )
    expect(found?.status).toBe('note')
  })
})

describe('profile: looks up every ID, pin, override and ARN in the account', () => {
  const arn = 'arn:aws:bedrock:us-east-2:123456789012:application-inference-profile'
  const models = { applicationProfiles: { [`${arn}/abc`]: 'anthropic.claude-sonnet-4-6' } }
  const of = (name: string, fakeOptions: FakeBedrockOptions = {}): Promise<CheckResult | undefined> =>
    statusOf('profile', fakeOptions, { models: [name] })

  test('says where a profile of the account runs', async () => {
    expect(await of('us.anthropic.claude-sonnet-4-6')).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('runs in us-east-1'),
    })
    expect((await of('default'))?.message).toBe('runs anywhere')
  })

  test.each(['eu.anthropic.claude-sonnet-4-6', 'jp.anthropic.claude-sonnet-4-6'])(
    "names the profile to use instead of another geography's: %s",
    async (id) => {
      expect(await of(id)).toMatchObject({
        status: 'failure',
        message: `the account has no ${id} in us-east-1`,
        next: expect.stringContaining('us.anthropic.claude-sonnet-4-6'),
      })
    },
  )

  test('looks up the ARN of an application profile in its own Region', async () => {
    expect(await of(`${arn}/abc`, { models })).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('anthropic.claude-sonnet-4-6'),
    })
    expect(await of(`${arn}/nobody`, { models })).toMatchObject({
      status: 'failure',
      next: expect.stringContaining('--region us-east-2'),
    })
    expect(await of(`${arn}/abc`, { models: { ...models, denied: ['bedrock:GetInferenceProfile'] } })).toMatchObject({
      status: 'note',
      message: expect.stringContaining('bedrock:GetInferenceProfile'),
    })
  })

  test('says what it could not look up', async () => {
    expect(
      await of('us.anthropic.claude-sonnet-4-6', { models: { denied: ['bedrock:ListInferenceProfiles'] } }),
    ).toMatchObject({
      status: 'note',
      message: expect.stringContaining('cannot be listed'),
    })
    expect(await of('arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abc')).toMatchObject({
      status: 'note',
      message: 'not looked up: it is a provisioned model',
    })
  })

  test('names overrides and pins as they are configured', async () => {
    const fake = createFakeBedrock({ models })
    const options = {
      overrides: { 'claude-opus-4-6': `${arn}/nobody` },
      pins: { haiku: 'eu.anthropic.claude-haiku-4-5-20251001-v1:0' },
    }
    const results = await examine(fake, { models: ['claude-opus-4-6', 'haiku'] }, { models: options })
    for (const name of ['claude-opus-4-6', 'haiku']) expect(row(results, 'profile', name)?.status).toBe('failure')
  })
})

describe('pins', () => {
  test('warns about families without a pin, with the lines that pin them', async () => {
    const found = row(await examine(createFakeBedrock(), { pinned: ['sonnet'] }), 'pins')
    expect(found).toMatchObject({
      status: 'warning',
      message: expect.stringMatching(/^opus, haiku are not pinned/),
      next: 'Set ANTHROPIC_DEFAULT_OPUS_MODEL=us.anthropic.claude-opus-4-6-v1 ANTHROPIC_DEFAULT_HAIKU_MODEL=us.anthropic.claude-haiku-4-5-20251001-v1:0',
    })
  })
  test('does not warn if every family has a pin', async () => {
    expect(row(await examine(createFakeBedrock(), { pinned: ['sonnet', 'opus', 'haiku'] }), 'pins')).toBeUndefined()
    expect(row(await examine(createFakeBedrock()), 'pins')).toBeUndefined()
  })
})

test('guardrail: warns if it stays in its Region but the profile does not', async () => {
  const guardrails = [{ identifier: 'gr1', versions: ['1'], blockedWords: [] }]
  const guardrail = { identifier: 'gr1', version: '1' }
  expect(await statusOf('guardrail', { guardrails }, { guardrail })).toMatchObject({
    status: 'warning',
    message: expect.stringContaining('no cross-Region inference'),
    next: expect.stringContaining('enable cross-Region inference'),
  })
})

describe('identity of an API key', () => {
  const keyFor = async (region: string, life = 3600): Promise<{ token: string }> => ({
    token: await createBedrockApiKey({ credentials: createFakeBedrock().identity, region, expiresIn: life }),
  })
  const identityWith = async (token: { token: string }, now = Date.now): Promise<CheckResult | undefined> =>
    row(await examine(createFakeBedrock(), { credentials: async () => token, now }, { credentials: token }), 'identity')

  test('shows its Region and expiry', async () => {
    const found = await identityWith(await keyFor('us-east-1'))
    expect(found).toMatchObject({ status: 'ok' })
    expect(found?.message).toMatch(/^a short-term Bedrock API key for us-east-1, until \d{4}-/)
  })
  test('for another Region is a failure', async () => {
    const found = await identityWith(await keyFor('eu-west-1'))
    expect(found).toMatchObject({
      status: 'failure',
      message: expect.stringContaining('but the client calls us-east-1'),
    })
  })
  test('that has expired, or will soon', async () => {
    const key = await keyFor('us-east-1')
    expect((await identityWith(key, () => Date.now() + 3_300_000))?.status).toBe('warning')
    expect(await identityWith(key, () => Date.now() + 3_700_000)).toMatchObject({
      status: 'failure',
      next: 'Create a new key.',
    })
  })
  test('names the command for expired SSO keys', async () => {
    const { identity } = createFakeBedrock()
    const source = { name: 'sso', profile: 'dev', command: 'aws sso login --profile dev' }
    const credentials = async (): Promise<never> => ({ ...identity, source, expiration: new Date(0) }) as never
    expect(row(await examine(createFakeBedrock(), { credentials }), 'identity')?.next).toBe(
      'Run `aws sso login --profile dev`.',
    )
  })
})

test('continues without a Region, and says what is unknown', async () => {
  const results = await examine(createFakeBedrock(), { region: undefined })
  expect(results.map(({ check, status }) => [check, status])).toEqual([
    ['region', 'failure'],
    ['identity', 'ok'],
    ['not known', 'note'],
  ])
})

describe('quotas', () => {
  const haiku = 'anthropic.claude-haiku-4-5-20251001-v1:0'
  const opus = 'anthropic.claude-opus-4-8'
  const examineQuota = async (tokensPerMinute: number, options: object = {}, model = haiku) => {
    const fake = createFakeBedrock({ quotas: [{ model, tokensPerMinute }] })
    return row(await examine(fake, { models: [`us.${model}`], ...options }), 'quotas')
  }

  test('an applied quota of 0 is a failure', async () => {
    await expect(examineQuota(0)).resolves.toMatchObject({
      status: 'failure',
      message: "the account's quota is 0 tokens per minute",
      next: expect.stringContaining('Service Quotas'),
    })
  })

  test('a sufficient quota shows its burndown', async () => {
    await expect(examineQuota(5_000_000)).resolves.toMatchObject({
      status: 'ok',
      subject: `us.${haiku}`,
      message: '5,000,000 tokens per minute; an output token counts as 5, so at most 1,000,000 of output',
    })
  })

  test('a burndown that makes the quota small is a warning', async () => {
    await expect(examineQuota(500_000, {}, opus)).resolves.toMatchObject({
      status: 'warning',
      message: expect.stringContaining('counts as 15, so at most 33,333 of output: less than one answer'),
    })
  })

  test('a missing or large max_tokens is a warning', async () => {
    await expect(examineQuota(5_000_000, { maxTokens: null })).resolves.toMatchObject({
      status: 'warning',
      message: expect.stringContaining('Calls set no max_tokens'),
    })
    await expect(examineQuota(400_000, { maxTokens: 64_000 })).resolves.toMatchObject({
      status: 'warning',
      message: expect.stringContaining('at most 6 calls can run concurrently'),
    })
  })

  test('a missing permission is a note', async () => {
    const fake = createFakeBedrock({ models: { denied: ['servicequotas:ListServiceQuotas'] } })
    await expect(examine(fake).then((results) => row(results, 'quotas'))).resolves.toMatchObject({
      status: 'note',
      message: 'not checked: needs servicequotas:ListServiceQuotas',
    })
  })
})
