import { createBedrockClient, type ModelRef } from 'outcrop'
import { broadIamPolicy, iamDestinations, type IamPolicy, iamPolicy, toTerraform } from 'outcrop/diagnostics'
import { describe, expect, test } from 'vitest'
import { authorizations, isAllowed } from './evaluate.ts'

const account = '123456789012'
const invoke = 'bedrock:InvokeModel'
const stream = 'bedrock:InvokeModelWithResponseStream'
const sonnet = 'anthropic.claude-sonnet-4-6'
const opus = 'anthropic.claude-opus-4-6-v1'
const us3 = ['us-east-1', 'us-east-2', 'us-west-2']

const allowsCall = (policy: IamPolicy, action: string, call: Parameters<typeof authorizations>[1]): boolean =>
  authorizations(action, call).every((each) => isAllowed(policy, each))

describe('a geographic profile', () => {
  const policy = iamPolicy({ region: 'us-east-1', account, models: [`us.${sonnet}`] })
  const call = { region: 'us-east-1', account, base: sonnet, profile: `us.${sonnet}`, destinations: us3 }

  test('allows the call, streamed or not', () => {
    expect(allowsCall(policy, invoke, call)).toBe(true)
    expect(allowsCall(policy, stream, call)).toBe(true)
  })

  test.each([
    ['another model', { ...call, base: opus, profile: `us.${opus}` }],
    ['the same model through another geography', { ...call, profile: `global.${sonnet}`, destinations: undefined }],
    ['the model without its profile', { region: 'us-east-1', account, base: sonnet }],
    ['a call from another Region', { ...call, region: 'us-west-2' }],
    ["another account's profile", { ...call, account: '999999999999' }],
    ['a destination outside the profile', { ...call, destinations: [...us3, 'eu-west-1'] }],
  ])('does not allow %s', (_, other) => {
    expect(allowsCall(policy, invoke, other)).toBe(false)
  })

  test('requires every destination', () => {
    for (const left of us3) {
      const less = {
        ...policy,
        Statement: policy.Statement.map((statement) => ({
          ...statement,
          Resource: [statement.Resource].flat().filter((arn) => !arn.includes(`:${left}::foundation-model/`)),
        })),
      }
      expect(allowsCall(less, invoke, call), left).toBe(false)
    }
  })

  test('adds the Region that is called if the profile does not include it', () => {
    const options = { region: 'eu-west-2', account, models: [`eu.${sonnet}`] }
    const [destinations] = iamDestinations(options)
    expect(destinations?.regions).toContain('eu-west-2')
    expect(destinations?.regions).not.toContain('eu-central-2')
    const london = { region: 'eu-west-2', account, base: sonnet, profile: `eu.${sonnet}` }
    expect(allowsCall(iamPolicy(options), invoke, { ...london, destinations: destinations?.regions as string[] })).toBe(
      true,
    )
  })

  test("uses the account's own list of destinations, and says so", () => {
    const profiles = [
      {
        id: `us.${sonnet}`,
        type: 'SYSTEM_DEFINED' as const,
        base: sonnet,
        geo: 'us',
        regions: [...us3, 'ca-central-1'],
      },
    ]
    const options = { region: 'us-east-1', account, models: [`us.${sonnet}`], profiles }
    expect(iamDestinations(options)).toEqual([
      { model: `us.${sonnet}`, base: sonnet, regions: [...us3, 'ca-central-1'], source: 'discovery' },
    ])
    expect(allowsCall(iamPolicy(options), invoke, { ...call, destinations: [...us3, 'ca-central-1'] })).toBe(true)
  })
})

test('allows only InvokeModel without streaming', () => {
  const policy = iamPolicy({ region: 'us-east-1', account, models: [`us.${sonnet}`], features: [] })
  const call = { region: 'us-east-1', account, base: sonnet, profile: `us.${sonnet}`, destinations: us3 }
  expect(allowsCall(policy, invoke, call)).toBe(true)
  expect(allowsCall(policy, stream, call)).toBe(false)
})

describe('a global profile', () => {
  const policy = iamPolicy({ region: 'eu-west-1', account, models: [`global.${sonnet}`] })
  const call = { region: 'eu-west-1', account, base: sonnet, profile: `global.${sonnet}` }

  test('has the ARN without a Region, and none of single Regions', () => {
    expect(allowsCall(policy, stream, call)).toBe(true)
    const arns = policy.Statement.flatMap(({ Resource }) => [Resource].flat())
    expect(arns.sort()).toEqual([
      `arn:aws:bedrock:::foundation-model/${sonnet}`,
      `arn:aws:bedrock:eu-west-1:${account}:inference-profile/global.${sonnet}`,
      `arn:aws:bedrock:eu-west-1::foundation-model/${sonnet}`,
    ])
  })

  test.each([
    ['from another Region', { ...call, region: 'us-east-1' }],
    ['of another model', { ...call, base: opus, profile: `global.${opus}` }],
    ['through another geography', { ...call, profile: `eu.${sonnet}`, destinations: ['eu-west-1'] }],
  ])('does not allow a call %s', (_, other) => {
    expect(allowsCall(policy, invoke, other)).toBe(false)
  })

  test('requires each of its three statements', () => {
    for (const { Sid } of policy.Statement) {
      const less = { ...policy, Statement: policy.Statement.filter((statement) => statement.Sid !== Sid) }
      expect(allowsCall(less, invoke, call), Sid).toBe(false)
    }
  })
})

describe('an application inference profile', () => {
  const arn = `arn:aws:bedrock:us-east-2:${account}:application-inference-profile/opus-46-prod`

  test('is allowed by its base and geography', () => {
    const policy = iamPolicy({ region: 'us-east-1', account, models: [{ arn, base: opus, geo: 'us' }] })
    const call = { region: 'us-east-2', account, base: opus, profile: arn, destinations: us3 }
    expect(allowsCall(policy, stream, call)).toBe(true)
    expect(allowsCall(policy, stream, { ...call, profile: `us.${opus}` })).toBe(false)
    expect(allowsCall(policy, stream, { ...call, base: sonnet })).toBe(false)
  })

  test("is allowed by the account's own list", () => {
    const profiles = [{ id: arn, arn, type: 'APPLICATION' as const, base: opus, regions: ['us-east-2'] }]
    const policy = iamPolicy({ region: 'us-east-1', account, models: [arn], profiles })
    const call = { region: 'us-east-2', account, base: opus, profile: arn, destinations: ['us-east-2'] }
    expect(allowsCall(policy, stream, call)).toBe(true)
    expect(allowsCall(policy, stream, { ...call, destinations: us3 })).toBe(false)
  })

  test('is rejected on its own, because its model is unknown', () => {
    expect(() => iamPolicy({ region: 'us-east-1', account, models: [arn] })).toThrow(
      expect.objectContaining({ code: 'configuration', hint: expect.stringContaining('base') }),
    )
  })
})

test('allows a base ID in the Region that is called', () => {
  const policy = iamPolicy({ region: 'eu-west-2', account, models: [sonnet] })
  expect(allowsCall(policy, invoke, { region: 'eu-west-2', account, base: sonnet })).toBe(true)
  expect(allowsCall(policy, invoke, { region: 'eu-west-1', account, base: sonnet })).toBe(false)
})

test("uses GovCloud's own partition", () => {
  const base = 'anthropic.claude-sonnet-4-5-20250929-v1:0'
  const policy = iamPolicy({ region: 'us-gov-west-1', account, models: [`us-gov.${base}`] })
  const arns = policy.Statement.flatMap(({ Resource }) => [Resource].flat())
  expect(arns.every((arn) => arn.startsWith('arn:aws-us-gov:'))).toBe(true)
  expect(arns.filter((arn) => arn.includes('foundation-model'))).toHaveLength(2)
})

describe('features', () => {
  const options = { region: 'us-east-1', account, models: [`us.${sonnet}`] }

  test('count is allowed for the base model, in the Region that is called', () => {
    const policy = iamPolicy({ ...options, features: ['count'] })
    const resource = `arn:aws:bedrock:us-east-1::foundation-model/${sonnet}`
    expect(isAllowed(policy, { action: 'bedrock:CountTokens', resource })).toBe(true)
    expect(
      isAllowed(policy, { action: 'bedrock:CountTokens', resource: resource.replace('us-east-1', 'us-east-2') }),
    ).toBe(false)
    expect(isAllowed(policy, { action: invoke, resource })).toBe(false)
  })

  test("discovery is allowed for this account's profiles", () => {
    const policy = iamPolicy({ ...options, features: ['discovery'] })
    const resource = `arn:aws:bedrock:us-east-1:${account}:application-inference-profile/any`
    expect(isAllowed(policy, { action: 'bedrock:GetInferenceProfile', resource })).toBe(true)
    expect(isAllowed(policy, { action: 'bedrock:ListInferenceProfiles', resource })).toBe(true)
    expect(isAllowed(iamPolicy(options), { action: 'bedrock:ListInferenceProfiles', resource })).toBe(false)
  })

  test.each([
    ['a version', '3', ':3', ':4'],
    ['DRAFT', 'DRAFT', '', ':1'],
    ['any published version', undefined, ':12', ''],
  ])('guardrail: denies calls without %s', (_, version, right, wrong) => {
    const arn = `arn:aws:bedrock:us-east-1:${account}:guardrail/gr1`
    const guardrail = { identifier: 'gr1', ...(version !== undefined && { version }) }
    const policy = iamPolicy({ ...options, features: ['stream', 'guardrail'], guardrail })
    const call = { region: 'us-east-1', account, base: sonnet, profile: `us.${sonnet}`, destinations: us3 }
    const withGuardrail = (identifier?: string): boolean =>
      authorizations(stream, call).every(({ context, ...each }) =>
        isAllowed(policy, {
          ...each,
          context: { ...context, ...(identifier !== undefined && { 'bedrock:GuardrailIdentifier': identifier }) },
        }),
      )
    expect(withGuardrail(arn + right)).toBe(true)
    expect(withGuardrail(arn + wrong)).toBe(false)
    expect(withGuardrail()).toBe(false)
    expect(isAllowed(policy, { action: 'bedrock:ApplyGuardrail', resource: arn })).toBe(true)
  })

  test('marketplace is allowed only through Bedrock', () => {
    const policy = iamPolicy({ ...options, features: ['marketplace'] })
    const subscribe = { action: 'aws-marketplace:Subscribe', resource: '*' }
    expect(isAllowed(policy, subscribe)).toBe(false)
    expect(isAllowed(policy, { ...subscribe, context: { 'aws:CalledViaLast': 'bedrock.amazonaws.com' } })).toBe(true)
  })

  test('api-key is allowed', () => {
    const policy = iamPolicy({ ...options, features: ['api-key'] })
    expect(isAllowed(policy, { action: 'bedrock:CallWithBearerToken', resource: '*' })).toBe(true)
  })
})

test("allows models by a wildcard only in the setup page's policy", () => {
  const policy = iamPolicy({ region: 'us-east-1', account, models: [`us.${sonnet}`, `global.${opus}`] })
  const allowed = policy.Statement.filter(({ Effect }) => Effect === 'Allow')
  expect(allowed.flatMap(({ Resource }) => [Resource].flat()).filter((arn) => arn.includes('*'))).toEqual([])
  expect(
    allowsCall(broadIamPolicy, stream, {
      region: 'us-east-1',
      account,
      base: opus,
      profile: `us.${opus}`,
      destinations: us3,
    }),
  ).toBe(true)
})

test.each([
  ['a name', { models: ['sonnet'] }, /policies need IDs/],
  ['no model', { models: [] }, /models is empty/],
  ['no account', { account: 'me', models: [`us.${sonnet}`] }, /12 digits/],
  ['an invalid Region', { region: 'Frankfurt', models: [`us.${sonnet}`] }, /Region/],
  ['a geography that the Region does not have', { models: [`jp.${sonnet}`] }, /are unknown/],
  ['an unknown feature', { models: [`us.${sonnet}`], features: ['fly' as never] }, /Unknown feature fly/],
  [
    'a guardrail feature without a guardrail',
    { models: [`us.${sonnet}`], features: ['guardrail' as const] },
    /identifier/,
  ],
])('rejects %s', (_, options, message) => {
  expect(() => iamPolicy({ region: 'us-east-1', account, ...options })).toThrow(message)
})

test('is written as Terraform', () => {
  const text = toTerraform(iamPolicy({ region: 'us-east-1', account, models: [`us.${sonnet}`] }))
  expect(text).toContain('data "aws_iam_policy_document" "bedrock" {')
  expect(text).toContain(`      test     = "StringEquals"\n      variable = "bedrock:InferenceProfileArn"`)
  expect(text.match(/ {2}statement \{/g)).toHaveLength(2)
  expect(text.split('{').length).toBe(text.split('}').length)
})

describe('accepts models from client.models.resolve', () => {
  const arn = 'arn:aws:bedrock:us-east-2:123456789012:application-inference-profile/opus-46-prod'
  const overrides = { 'claude-opus-4-6': arn, 'claude-opus-4-5-20251101': `${arn}-5` } as const
  const resolve = (name: string, models: object): Promise<ModelRef> =>
    createBedrockClient({ region: 'us-east-1', credentials: 'none', models }).models.resolve(name)

  test("has every destination for the setup page's modelOverrides, in another Region", async () => {
    const models = await Promise.all(Object.keys(overrides).map((name) => resolve(name, { overrides })))
    const options = { region: 'us-east-1', account, models }
    expect(iamDestinations(options)).toEqual([
      { model: arn, base: opus, regions: expect.arrayContaining(us3), source: 'catalog' },
      {
        model: `${arn}-5`,
        base: 'anthropic.claude-opus-4-5-20251101-v1:0',
        regions: expect.arrayContaining(us3),
        source: 'catalog',
      },
    ])
    const policy = iamPolicy(options)
    const call = { region: 'us-east-2', account, base: opus, profile: arn }
    for (const destinations of [us3, ['us-east-2']])
      expect(allowsCall(policy, stream, { ...call, destinations })).toBe(true)
    expect(allowsCall(policy, stream, { ...call, profile: `${arn}-other`, destinations: us3 })).toBe(false)
    expect(allowsCall(policy, stream, { ...call, destinations: ['eu-west-1'] })).toBe(false)
  })

  test("uses the account's own list from the profile's Region", async () => {
    const profile = { id: arn, arn, type: 'APPLICATION' as const, base: opus, regions: ['us-east-2'] }
    const models = [await resolve('claude-opus-4-6', { overrides })]
    expect(iamDestinations({ region: 'us-east-1', account, models, profiles: [profile] })).toEqual([
      { model: arn, base: opus, regions: ['us-east-2'], source: 'discovery' },
    ])
  })

  test('allows the small model in its own Region', async () => {
    const models = [await resolve('small', { smallModelRegion: 'us-west-2' })]
    const haiku = 'anthropic.claude-haiku-4-5-20251001-v1:0'
    const policy = iamPolicy({ region: 'us-east-1', account, models })
    const call = { account, base: haiku, profile: `us.${haiku}`, destinations: us3 }
    expect(allowsCall(policy, invoke, { ...call, region: 'us-west-2' })).toBe(true)
    expect(allowsCall(policy, invoke, { ...call, region: 'us-east-1' })).toBe(false)
  })
})
