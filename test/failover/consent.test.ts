import { type BedrockClientOptions, createBedrockClient } from 'outcrop'
import { type FailoverTarget, type FailoverTargets, failover } from 'outcrop/failover'
import { describe, expect, test } from 'vitest'
import { params, route, setUp, sonnet } from './support.ts'

const profile = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc'

/** Returns the code and message of a call that rejects before anything is sent. */
async function refusal(
  target: FailoverTarget | string,
  model: string = 'sonnet',
  options: BedrockClientOptions = {},
): Promise<string> {
  const { withTargets, at } = setUp(options)
  const bedrock = withTargets([target])
  const error = await bedrock.messages.create({ ...params, model }).then(
    () => undefined,
    (reason) => reason,
  )
  const sent = ['us-east-1', 'us-west-2', 'eu-west-1', 'ca-central-1'].flatMap((region) => at(region).calls)
  if (!error) return `sent ${sent[0]?.model}`
  expect(sent).toEqual([])
  return `${error.code}: ${error.message}`
}

describe('residency of targets', () => {
  test.each<[string, FailoverTarget | string, string]>([
    ['a global profile', 'global.anthropic.claude-sonnet-4-6', 'sonnet'],
    ['a foreign Region', { region: 'eu-west-1' }, 'sonnet'],
    ['a Region that the profile does not reach from here', { region: 'ca-central-1' }, 'sonnet'],
    ['another model by its global profile', 'global.anthropic.claude-haiku-4-5-20251001-v1:0', 'sonnet'],
    ['an ARN of an unknown model', profile, 'sonnet'],
    ['another Region of a base ID', { region: 'us-west-2' }, 'anthropic.claude-sonnet-4-6'],
    ['any Region of an ARN of an unknown model', { region: 'us-west-2', model: sonnet }, profile],
  ])('requires consent for %s', async (_, target, model) => {
    expect(await refusal(target, model)).toMatch(/^configuration: The failover target .* may run where/)
  })

  test.each<[string, FailoverTarget | string, string]>([
    ['a Region within the same geography', { region: 'us-west-2' }, 'sonnet'],
    ['another model there', 'haiku', 'sonnet'],
    ['a global profile, for a call through one', { region: 'eu-west-1' }, 'global.anthropic.claude-sonnet-4-6'],
    [
      'a global profile, with consent',
      { model: 'global.anthropic.claude-sonnet-4-6', residency: 'anywhere' },
      'sonnet',
    ],
    ['another geography, with consent', { region: 'eu-west-1', residency: 'eu' }, 'sonnet'],
    ['Regions, with consent', { region: 'ca-central-1', residency: ['us', 'ca-central-1'] }, 'sonnet'],
    ['an ARN, with consent', { model: profile, residency: 'anywhere' }, 'sonnet'],
  ])('allows %s', async (_, target, model) => {
    expect(await refusal(target, model)).toMatch(/^sent /)
  })

  test('consent to one place does not include another', async () => {
    expect(await refusal({ region: 'eu-west-1', residency: 'jp' })).toMatch(/may run outside of its residency/)
    const worldwide = { model: 'global.anthropic.claude-sonnet-4-6', residency: ['us', 'eu'] }
    expect(await refusal(worldwide)).toMatch(/may run outside of its residency/)
  })

  test("a target cannot widen the client's own residency", async () => {
    const options = { models: { residency: 'us' } }
    const worldwide = { model: 'global.anthropic.claude-sonnet-4-6', residency: 'anywhere' }
    expect(await refusal(worldwide, 'sonnet', options)).toBe(
      'model_resolution: The failover target global.anthropic.claude-sonnet-4-6: global.anthropic.claude-sonnet-4-6, called from us-east-1, leaves us',
    )
    expect(await refusal({ region: 'eu-west-1', residency: 'anywhere' }, 'sonnet', options)).toMatch(
      /^model_resolution: The failover target eu-west-1: .* without leaving us|leaves us/,
    )
    expect(await refusal({ region: 'us-west-2' }, 'sonnet', options)).toBe(`sent ${sonnet}`)
  })

  test('another client keeps its own residency, and needs consent to leave that of the call', async () => {
    const { base } = setUp()
    const europe = base.withOptions({ region: 'eu-west-1' })
    expect(await refusal({ client: europe })).toMatch(/^configuration: .* may run where/)
    expect(await refusal({ client: europe, residency: 'eu' })).toBe(`sent ${sonnet}`)
    const bound = createBedrockClient({ region: 'eu-west-1', models: { residency: 'us' }, env: {} })
    expect(await refusal({ client: bound, residency: 'anywhere' })).toMatch(/^model_resolution: .*leav/)
  })

  test('availableModels applies to targets', async () => {
    expect(await refusal('opus', 'sonnet', { models: { availableModels: ['sonnet'] } })).toMatch(
      /^model_resolution: The failover target opus: .* is not among the available models/,
    )
  })
})

describe('an unusable target', () => {
  test('fails the call before anything is sent, and is named', async () => {
    expect(await refusal('sonet')).toMatch(/^model_resolution: The failover target sonet: sonet is not a model/)
    expect(await refusal({ region: 'us-west-2', residency: 'anywhere' }, profile)).toMatch(
      /^configuration: The failover target us-west-2: the model of arn.* is unknown/,
    )
    const overridden = { models: { overrides: { 'claude-sonnet-4-6': profile }, profiles: { [profile]: sonnet } } }
    expect(await refusal({ region: 'us-west-2', residency: 'anywhere' }, 'sonnet', overridden)).toMatch(
      /^configuration: The failover target us-west-2: .* which is called in us-east-1/,
    )
  })

  test('is skipped with skipUnusable, with one warning', async () => {
    const { withTargets, at, log } = setUp()
    const targets = ['sonet', 'global.anthropic.claude-sonnet-4-6', { region: 'us-west-2' }]
    const bedrock = withTargets(targets, { skipUnusable: true })
    at('us-east-1').fail('throttling', { times: 2 })
    expect(route((await bedrock.messages.create(params)).metadata)).toBe('primary (throttled) > us-west-2 (failed)')
    await bedrock.messages.create(params)
    expect(log).toEqual([
      expect.stringMatching(/sonet is not a model.*; it is left out/),
      expect.stringMatching(/may run where.*; it is left out/),
    ])
  })
})

describe('impossible options are rejected at once', () => {
  const client = setUp().base
  test.each<[unknown, RegExp]>([
    [undefined, /targets must be a list/],
    [[], /targets must have at least one target/],
    [[[]], /targets must have at least one target/],
    ['haiku', /targets must be a list/],
    [[5], /targets\[0\] must be an object/],
    [[''], /targets\[0\]\.model must be a name/],
    [[{ modle: 'haiku' }], /Unknown option "targets\[0\].modle"/],
    [[{ region: 'evil.example/' }], /Not an AWS Region/],
    [[{ client: {} }], /targets\[0\]\.client must be a client/],
    [[{ client, region: 'us-west-2' }], /has both a client and a Region/],
    [[{ region: 'us-west-2', residency: 'mars' }], /residency must name/],
    [[{ region: 'us-west-2', retry: { attempts: 0 } }], /retry.attempts/],
    [[{ region: 'us-west-2', options: { timeout: { total: -1 } } }], /timeout.total/],
    [[{ region: 'us-west-2', options: { signal: AbortSignal.abort() } }], /no signal/],
    [[{ region: 'us-west-2', name: 'a\nb' }], /targets\[0\]\.name must be 1 to 100 printable/],
    [[{ region: 'us-west-2', name: ' ' }], /printable/],
    [[{ region: 'us-west-2', name: 'x'.repeat(101) }], /printable/],
    [[{ region: 'us-west-2', account: {} }], /targets\[0\]\.account/],
    [['haiku', 'haiku'], /Two failover targets are called haiku/],
    [
      [
        { client, name: 'one' },
        { region: 'us-west-2', name: 'one' },
      ],
      /Two failover targets are called one/,
    ],
  ])('%s', (targets, message) => {
    expect(() => failover(targets as FailoverTargets)).toThrow(message)
  })

  test.each<[object, RegExp]>([
    [{ cooldwon: 1 }, /Unknown option "cooldwon"/],
    [{ cooldown: -1 }, /cooldown must be 0 or more/],
    [{ cooldown: '5' }, /cooldown must be 0 or more/],
    [{ returnAfter: Number.NaN }, /returnAfter must be/],
    [{ attempts: 0 }, /attempts must be a whole number/],
    [{ leaveIf: 5 }, /leaveIf must be a function/],
  ])('%o', (options, message) => {
    expect(() => failover(['haiku'], options)).toThrow(message)
  })

  test('a name from outside is printable in messages', async () => {
    const { withTargets } = setUp()
    const hostile = `\u001b[31mhaiku${'x'.repeat(3000)}`
    const error = await withTargets([hostile])
      .messages.create(params)
      .catch((reason) => reason)
    expect(error.code).toBe('model_resolution')
    expect(error.message).not.toMatch(/\u001b/)
    expect(error.message.length).toBeLessThan(600)
  })
})
