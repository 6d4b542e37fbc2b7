import { createModelResolver, discoverInferenceProfiles, type ModelResolverOptions } from 'outcrop/models'
import { describe, expect, test } from 'vitest'
import { TimeoutError } from '../../src/core/errors.ts'
import type { BedrockFetch } from '../../src/core/types.ts'
import { recordingLogger, resolutionContext, standingClock } from './support.ts'

const account = '123456789012'
const modelArn = (base: string, region = '') => ({ modelArn: `arn:aws:bedrock:${region}::foundation-model/${base}` })
const systemProfile = (geo: string, base: string, regions: string[], status = 'ACTIVE') => ({
  inferenceProfileName: `${geo} ${base}`,
  inferenceProfileArn: `arn:aws:bedrock:us-east-1:${account}:inference-profile/${geo}.${base}`,
  inferenceProfileId: `${geo}.${base}`,
  models: regions.map((region) => modelArn(base, region)),
  status,
  type: 'SYSTEM_DEFINED',
})
const applicationProfile = (
  id: string,
  base: string,
  regions = ['us-east-1', 'us-east-2', 'us-west-2'],
  region = 'us-east-1',
) => ({
  inferenceProfileName: id,
  inferenceProfileArn: `arn:aws:bedrock:${region}:${account}:application-inference-profile/${id}`,
  inferenceProfileId: id,
  models: regions.map((each) => modelArn(base, each)),
  status: 'ACTIVE',
  type: 'APPLICATION',
})
const us = ['us-east-1', 'us-east-2', 'us-west-2']
const sonnet46 = 'anthropic.claude-sonnet-4-6'

interface Call {
  path: string
  region: string | undefined
}

/** A control plane of a few profiles, two to a page. */
function controlPlane(profiles: ReturnType<typeof systemProfile>[], refuse?: (call: Call) => Response | undefined) {
  const calls: Call[] = []
  const fetch: BedrockFetch = async (path, { region } = {}) => {
    const call = { path, region }
    calls.push(call)
    await Promise.resolve()
    const refused = refuse?.(call)
    if (refused) return refused
    const { pathname, searchParams } = new URL(path, 'https://bedrock.test')
    const id = decodeURIComponent(pathname.split('/')[2] ?? '')
    if (id) {
      const profile = profiles.find(({ inferenceProfileArn }) => inferenceProfileArn === id)
      return profile
        ? Response.json(profile)
        : new Response('{"message":"no such profile"}', {
            status: 404,
            headers: { 'x-amzn-errortype': 'ResourceNotFoundException' },
          })
    }
    const ofType = profiles.filter(({ type }) => type === searchParams.get('type'))
    const start = Number(searchParams.get('nextToken') ?? 0)
    const nextToken = start + 2 < ofType.length ? String(start + 2) : undefined
    return Response.json({ inferenceProfileSummaries: ofType.slice(start, start + 2), nextToken })
  }
  return { calls, fetch }
}
const denied = () =>
  new Response('{"message":"not authorized"}', {
    status: 403,
    headers: { 'x-amzn-errortype': 'AccessDeniedException' },
  })

const account1 = [
  systemProfile('us', sonnet46, us),
  systemProfile('global', sonnet46, ['us-east-1', '']),
  systemProfile('us', 'anthropic.claude-sonnet-5-5', us),
  systemProfile('us', 'anthropic.claude-sonnet-7', us, 'CREATING'),
  systemProfile('us', 'anthropic.claude-opus-6', us),
  systemProfile('global', 'anthropic.claude-opus-6', ['us-east-1', '']),
  systemProfile('us', 'anthropic.claude-haiku-4-5-20251001-v1:0', us),
  systemProfile('us', 'meta.llama3-3-70b-instruct-v1:0', us),
  applicationProfile('team-a', sonnet46),
  applicationProfile('team-b', 'anthropic.claude-opus-6', ['us-east-1', '']),
  applicationProfile('team-c', 'anthropic.claude-sonnet-8'),
]
const arnOf = (id: string, region = 'us-east-1') =>
  `arn:aws:bedrock:${region}:${account}:application-inference-profile/${id}`

describe('discoverInferenceProfiles', () => {
  test('reads every page of both types', async () => {
    const { fetch, calls } = controlPlane(account1)
    const profiles = await discoverInferenceProfiles(fetch, { region: 'us-east-1' })
    expect(profiles.map(({ name }) => name)).toEqual(account1.map(({ inferenceProfileName }) => inferenceProfileName))
    expect(calls).toHaveLength(4 + 2)
    expect(calls.every(({ region }) => region === 'us-east-1')).toBe(true)
    expect(profiles[0]).toEqual({
      id: 'us.anthropic.claude-sonnet-4-6',
      arn: `arn:aws:bedrock:us-east-1:${account}:inference-profile/us.anthropic.claude-sonnet-4-6`,
      name: 'us anthropic.claude-sonnet-4-6',
      type: 'SYSTEM_DEFINED',
      status: 'ACTIVE',
      base: sonnet46,
      geo: 'us',
      regions: us,
    })
    expect(profiles.find(({ id }) => id.startsWith('global.'))).toMatchObject({ geo: 'global', regions: undefined })
    expect(profiles.find(({ name }) => name === 'team-a')).toMatchObject({
      id: arnOf('team-a'),
      type: 'APPLICATION',
      base: sonnet46,
      geo: undefined,
      regions: us,
    })
  })

  test('ends if a gateway returns the same page forever', async () => {
    const fetch: BedrockFetch = async () =>
      Response.json({ inferenceProfileSummaries: [systemProfile('us', sonnet46, us)], nextToken: 'again' })
    expect(await discoverInferenceProfiles(fetch)).toHaveLength(4)
  })

  test.each([
    ['', 2],
    [7, 2],
    ['next', 4],
  ])('asks for another page only after a token, not after %j', async (nextToken, asked) => {
    const paths: string[] = []
    const fetch: BedrockFetch = async (path) => {
      paths.push(path)
      return Response.json({ inferenceProfileSummaries: [], ...(!path.includes('nextToken') && { nextToken }) })
    }
    expect(await discoverInferenceProfiles(fetch)).toEqual([])
    expect(paths).toHaveLength(asked)
  })

  test('leaves out entries that are no profile, and fields that are no text', async () => {
    const inferenceProfileSummaries = [
      null,
      'us.anthropic.claude-sonnet-4-6',
      { inferenceProfileId: 'not callable' },
      { inferenceProfileId: 'us.anthropic.claude-sonnet-4-6', inferenceProfileName: 7, status: {}, models: [] },
    ]
    const fetch: BedrockFetch = async (path) =>
      Response.json(path.includes('SYSTEM_DEFINED') ? { inferenceProfileSummaries } : {})
    // Without models nothing says where it runs, which is not the same as nowhere.
    expect(await discoverInferenceProfiles(fetch)).toEqual([
      {
        id: 'us.anthropic.claude-sonnet-4-6',
        arn: undefined,
        name: undefined,
        type: 'SYSTEM_DEFINED',
        status: undefined,
        base: sonnet46,
        geo: 'us',
        regions: undefined,
      },
    ])
  })

  test("rejects with Bedrock's error", async () => {
    const { fetch } = controlPlane([], denied)
    await expect(discoverInferenceProfiles(fetch)).rejects.toMatchObject({
      code: 'service',
      type: 'AccessDeniedException',
    })
  })
})

function setUp(options: ModelResolverOptions = {}, profiles = account1, refuse?: (call: Call) => Response | undefined) {
  const clock = standingClock()
  const plane = controlPlane(profiles, refuse)
  const { logger, lines } = recordingLogger()
  const resolver = createModelResolver({ discovery: true, clock, ...options })
  const context = resolutionContext({ fetch: plane.fetch, logger })
  return { ...plane, clock, lines, context, resolver, resolve: async (name: string) => resolver.resolve(name, context) }
}

describe('with discovery', () => {
  test.each([
    ['sonnet', 'us.anthropic.claude-sonnet-5-5'],
    ['opus', 'us.anthropic.claude-opus-6'],
    ['haiku', 'us.anthropic.claude-haiku-4-5-20251001-v1:0'],
    ['small', 'us.anthropic.claude-haiku-4-5-20251001-v1:0'],
    ['default', 'global.anthropic.claude-sonnet-4-6'],
    ['claude-sonnet-4-6', 'us.anthropic.claude-sonnet-4-6'],
    // Newer than any catalog.
    ['claude-opus-6', 'us.anthropic.claude-opus-6'],
  ])("resolves %s to the account's %s", async (name, id) => {
    expect(await setUp().resolve(name)).toMatchObject({ id, source: 'discovered', region: 'us-east-1' })
  })

  test('prefers global profiles with `geo: global`', async () => {
    expect(await setUp({ geo: 'global' }).resolve('opus')).toMatchObject({
      id: 'global.anthropic.claude-opus-6',
      geo: 'global',
    })
  })

  test('resolves `default` to the newest of its family if the configured model is missing', async () => {
    const { resolve } = setUp({}, account1.slice(2))
    expect(await resolve('default')).toMatchObject({ id: 'us.anthropic.claude-sonnet-5-5' })
  })

  test('keeps a pin, and looks up its target', async () => {
    expect(await setUp({ pins: { sonnet: 'claude-sonnet-4-6' } }).resolve('sonnet')).toMatchObject({
      id: 'us.anthropic.claude-sonnet-4-6',
      source: 'pin',
    })
    expect(await setUp({ aliases: { sonnet: 'claude-sonnet-4-6' } }).resolve('sonnet')).toMatchObject({
      id: 'us.anthropic.claude-sonnet-4-6',
    })
  })

  test('resolves an alias to the newest callable model', async () => {
    expect(await setUp({ availableModels: ['claude-sonnet-4-6'] }).resolve('sonnet')).toMatchObject({ base: sonnet46 })
    await expect(setUp({ availableModels: ['haiku'] }).resolve('claude-opus-6')).rejects.toMatchObject({
      code: 'model_resolution',
    })
  })

  test('applies residency to the Regions that the account reports', async () => {
    expect(await setUp({ residency: 'us' }).resolve('default')).toMatchObject({ id: 'us.anthropic.claude-sonnet-4-6' })
    await expect(setUp({ residency: 'eu' }).resolve('sonnet')).rejects.toMatchObject({ code: 'model_resolution' })
  })

  test("lists the account's models for a missing name", async () => {
    await expect(setUp().resolve('claude-opus-4-6')).rejects.toMatchObject({
      code: 'model_resolution',
      candidates: expect.arrayContaining([
        'us.anthropic.claude-sonnet-4-6',
        'us.anthropic.claude-opus-6',
        arnOf('team-a'),
      ]),
    })
    await expect(setUp().resolve('sonet')).rejects.toMatchObject({ candidates: expect.arrayContaining(['sonnet']) })
  })

  test('looks up no full ID', async () => {
    const { resolve, calls } = setUp()
    await resolve('us.anthropic.claude-opus-5')
    await resolve(`arn:aws:bedrock:us-east-1:${account}:provisioned-model/abc`)
    expect(calls).toEqual([])
  })

  test('shares one list among many names, per Region, for an hour', async () => {
    const { resolver, context, calls, clock } = setUp({ smallModelRegion: 'us-west-2' })
    await Promise.all(['sonnet', 'opus', 'sonnet', 'default'].map((name) => resolver.resolve(name, context)))
    expect(calls).toHaveLength(6)
    await resolver.resolve('small', context)
    expect(calls.slice(6).every(({ region }) => region === 'us-west-2')).toBe(true)
    expect(calls).toHaveLength(12)
    clock.time += 3_599_999
    await resolver.resolve('sonnet', context)
    expect(calls).toHaveLength(12)
    clock.time += 1
    await resolver.resolve('sonnet', context)
    expect(calls).toHaveLength(18)
  })

  test('shares nothing between two clients of one resolver, unless they share their identity', async () => {
    const one = setUp()
    const other = controlPlane([systemProfile('us', 'anthropic.claude-sonnet-9', us)])
    await one.resolve('sonnet')
    expect(await one.resolver.resolve('sonnet', { ...one.context, fetch: other.fetch })).toMatchObject({
      base: 'anthropic.claude-sonnet-9',
    })
    const scope = {}
    await one.resolver.resolve('sonnet', { ...one.context, scope })
    const before = other.calls.length
    expect(await one.resolver.resolve('sonnet', { ...one.context, fetch: other.fetch, scope })).toMatchObject({
      base: 'anthropic.claude-sonnet-5-5',
    })
    expect(other.calls).toHaveLength(before)
  })

  test('keeps the request for others if one caller leaves', async () => {
    const { resolver, context } = setUp()
    const controller = new AbortController()
    const leaver = resolver.resolve('sonnet', { ...context, signal: controller.signal })
    const stayer = resolver.resolve('opus', context)
    const reason = new Error('left')
    controller.abort(reason)
    await expect(leaver).rejects.toBe(reason)
    expect(await stayer).toMatchObject({ base: 'anthropic.claude-opus-6' })
  })

  test('remembers a denied permission, warns once, and uses the catalog', async () => {
    const { resolve, calls, lines } = setUp({}, account1, denied)
    expect(await resolve('sonnet')).toMatchObject({ id: 'us.anthropic.claude-sonnet-4-6', source: 'alias' })
    expect(await resolve('opus')).toMatchObject({ id: 'us.anthropic.claude-opus-4-6-v1' })
    expect(calls).toHaveLength(2)
    expect(lines).toEqual([expect.stringMatching(/^warn: .*not authorized/)])
  })

  test('remembers an invalid request as a refusal', async () => {
    const { resolve, calls } = setUp({}, account1, () => Response.json({ message: 'no' }, { status: 400 }))
    await resolve('sonnet')
    await resolve('opus')
    expect(calls).toHaveLength(2)
  })

  test.each([302, 429, 500, 501, 502])(
    'asks again at the next name after a %d, which is no refusal',
    async (status) => {
      let broken = true
      const { resolve } = setUp({}, account1, () =>
        broken ? new Response('<html>not the control plane</html>', { status }) : undefined,
      )
      expect(await resolve('sonnet')).toMatchObject({ id: 'us.anthropic.claude-sonnet-4-6', source: 'alias' })
      broken = false
      expect(await resolve('sonnet')).toMatchObject({ source: 'discovered' })
    },
  )

  test('explains and lists from the account', async () => {
    const { resolver, context } = setUp()
    expect(String(await resolver.explain('sonnet', context))).toMatch(
      /discovery +the account has us\.anthropic\.claude-sonnet-5-5/,
    )
    expect(await resolver.list(context)).toHaveLength(account1.length)
  })
})

describe('opaque ARNs with discovery', () => {
  // https://github.com/BerriAI/litellm/issues/26625: behind an application profile's ARN, features were lost.
  test('are looked up once a day, in their own Region', async () => {
    const profiles = [applicationProfile('team-d', sonnet46, ['eu-central-1', 'eu-west-1'], 'eu-west-1')]
    const { resolve, calls, clock } = setUp({}, profiles)
    const arn = arnOf('team-d', 'eu-west-1')
    for (let i = 0; i < 3; i++) {
      expect(await resolve(arn)).toMatchObject({
        id: arn,
        base: sonnet46,
        family: 'sonnet',
        version: '4.6',
        region: 'eu-west-1',
        source: 'explicit',
      })
    }
    expect(calls).toEqual([{ path: `/inference-profiles/${encodeURIComponent(arn)}`, region: 'eu-west-1' }])
    clock.time += 86_400_000
    await resolve(arn)
    expect(calls).toHaveLength(2)
  })

  test.each([
    ['a denied permission', denied],
    ['a missing profile', undefined],
  ])('%s is remembered and harmless', async (_, refuse) => {
    const { resolve, calls } = setUp({}, [], refuse)
    const arn = arnOf('team-x')
    for (let i = 0; i < 2; i++) expect(await resolve(arn)).toMatchObject({ id: arn, base: undefined })
    expect(calls).toHaveLength(1)
  })

  test('need no lookup if `profiles` or an override has them', async () => {
    const arn = arnOf('team-a')
    const { resolve, calls } = setUp({
      profiles: { [arn]: sonnet46 },
      overrides: { 'claude-opus-4-6': arnOf('team-b') },
    })
    expect(await resolve(arn)).toMatchObject({ base: sonnet46 })
    expect(await resolve('claude-opus-4-6')).toMatchObject({ base: 'anthropic.claude-opus-4-6-v1' })
    expect(calls).toEqual([])
  })

  test('keep the residency, by the Regions of their models', async () => {
    const options = { residency: 'us' }
    expect(await setUp(options).resolve(arnOf('team-a'))).toMatchObject({ base: sonnet46 })
    await expect(setUp(options).resolve(arnOf('team-b'))).rejects.toMatchObject({ code: 'model_resolution' })
    await expect(setUp(options, account1, denied).resolve(arnOf('team-a'))).rejects.toMatchObject({
      code: 'model_resolution',
    })
  })
})

describe('with discovery as a fallback', () => {
  const withFallback = (
    options: ModelResolverOptions = {},
    ...rest: [typeof account1?, ((call: Call) => Response | undefined)?]
  ) => setUp({ discovery: 'fallback', ...options }, ...rest)

  test.each([
    // The account has a newer Sonnet and a newer Opus: no name moves.
    ['sonnet', 'us.anthropic.claude-sonnet-4-6'],
    ['opus', 'us.anthropic.claude-opus-4-6-v1'],
    ['best', 'us.anthropic.claude-opus-4-6-v1'],
    ['default', 'global.anthropic.claude-sonnet-4-6'],
    ['small', 'us.anthropic.claude-haiku-4-5-20251001-v1:0'],
    ['claude-opus-5', 'us.anthropic.claude-opus-5'],
    // Newer than the catalog, and a full ID.
    ['us.anthropic.claude-opus-9', 'us.anthropic.claude-opus-9'],
  ])('looks up nothing for %s, which is %s', async (name, id) => {
    const { resolve, calls } = withFallback()
    expect(await resolve(name)).toMatchObject({ id })
    expect(calls).toEqual([])
  })

  test('sends a pin that is newer than the catalog unchanged', async () => {
    const { resolve, calls } = withFallback({ pins: { opus: 'us.anthropic.claude-opus-9' } })
    expect(await resolve('opus')).toMatchObject({ id: 'us.anthropic.claude-opus-9', source: 'pin' })
    expect(calls).toEqual([])
  })

  test("matches an unknown Anthropic ID with the account's profiles, once", async () => {
    const { resolver, context, calls } = withFallback()
    const models = await Promise.all([1, 2, 3].map(() => resolver.resolve('claude-opus-6', context)))
    expect(models[0]).toMatchObject({
      id: 'us.anthropic.claude-opus-6',
      base: 'anthropic.claude-opus-6',
      family: 'opus',
      version: '6',
      region: 'us-east-1',
      geo: 'us',
      source: 'discovered',
    })
    expect(models[2]).toEqual(models[0])
    await resolver.resolve('claude-opus-6', context)
    expect(calls).toHaveLength(6)
    expect(String(await resolver.explain('claude-opus-6', context))).toMatch(/discovery +the account has us\./)
  })

  test('matches a pin with such an ID, and keeps it a pin', async () => {
    const { resolve } = withFallback({ pins: { opus: 'claude-opus-6' } })
    expect(await resolve('opus')).toMatchObject({ id: 'us.anthropic.claude-opus-6', source: 'pin' })
    expect(await withFallback({ geo: 'global' }).resolve('claude-opus-6')).toMatchObject({
      id: 'global.anthropic.claude-opus-6',
    })
  })

  test('finds a profile in the account that the catalog does not have for this Region', async () => {
    const profiles = [systemProfile('jp', 'anthropic.claude-sonnet-5-5', ['ap-northeast-1', 'ap-northeast-3'])]
    const { resolver, context } = withFallback({ residency: 'jp' }, profiles)
    const japan = { ...context, region: 'ap-northeast-1' }
    expect(await resolver.resolve('claude-sonnet-5-5', japan)).toMatchObject({ id: 'jp.anthropic.claude-sonnet-5-5' })
    // The name of the family keeps to what the catalog has there.
    expect(await resolver.resolve('sonnet', japan)).toMatchObject({ id: 'jp.anthropic.claude-sonnet-4-6' })
  })

  test('looks up no other unknown name', async () => {
    const { resolve, calls } = withFallback()
    await expect(resolve('sonet')).rejects.toMatchObject({ hint: 'Did you mean sonnet?' })
    await expect(resolve('constructor')).rejects.toMatchObject({ code: 'model_resolution' })
    expect(calls).toEqual([])
  })

  test('rejects a model that the account does not have either, and names the option', async () => {
    const { resolve } = withFallback({ pins: { opus: 'claude-opus-7' }, origins: { 'pins.opus': 'a variable' } })
    await expect(resolve('opus')).rejects.toMatchObject({
      code: 'model_resolution',
      message: expect.stringMatching(
        /^models\.pins\.opus \(a variable\) is claude-opus-7, which has no inference profile in this account/,
      ),
      candidates: expect.arrayContaining(['us.anthropic.claude-opus-6']),
    })
  })

  test.each([
    ['a denied permission', denied, 2],
    ['an invalid response', () => new Response('<html>'), 4],
  ])('fails softly after %s, with a note', async (_, refuse, asked) => {
    const { resolver, context, calls, lines, resolve } = withFallback({}, account1, refuse)
    for (let i = 0; i < 2; i++)
      await expect(resolve('claude-opus-6')).rejects.toMatchObject({
        code: 'model_resolution',
        message: 'claude-opus-6 is not a model, alias or ARN',
        hint: expect.stringContaining("Cannot list the account's inference profiles"),
      })
    expect(calls).toHaveLength(asked)
    expect(lines[0]).toMatch(/^warn: Cannot list the account/)
    expect(String(await resolver.explain('claude-opus-6', context))).toMatch(/discovery +Cannot list the account/)
    expect(await resolve('sonnet')).toMatchObject({ id: 'us.anthropic.claude-sonnet-4-6' })
  })

  test("looks up an application profile's ARN once", async () => {
    const { resolver, context, calls, resolve } = withFallback({ pins: { opus: arnOf('team-b') } })
    const arn = arnOf('team-a')
    await Promise.all([1, 2, 3].map(() => resolver.resolve(arn, context)))
    expect(await resolve(arn)).toMatchObject({ id: arn, base: sonnet46, family: 'sonnet', version: '4.6' })
    expect(calls).toEqual([{ path: `/inference-profiles/${encodeURIComponent(arn)}`, region: 'us-east-1' }])
    expect(await resolve('opus')).toMatchObject({ id: arnOf('team-b'), base: 'anthropic.claude-opus-6', source: 'pin' })
    expect(String(await resolver.explain(arn, context))).toMatch(/discovery +the account says it is anthropic/)
  })

  test('sends an ARN that cannot be looked up', async () => {
    const { resolve, calls, lines } = withFallback({}, account1, denied)
    for (let i = 0; i < 3; i++) expect(await resolve(arnOf('team-a'))).toMatchObject({ base: undefined })
    expect(calls).toHaveLength(1)
    expect(lines).toHaveLength(1)
  })

  test('lists the catalog', async () => {
    const { resolver, context, calls } = withFallback()
    expect(await resolver.list(context)).toContainEqual(expect.objectContaining({ id: 'us.anthropic.claude-opus-5' }))
    expect(calls).toEqual([])
  })
})

describe('an unreachable control plane', () => {
  // In a network with an endpoint for the runtime alone, the control plane's host swallows what is sent to it.
  test('delays a call once, for ten seconds at most, and then none for five minutes', async () => {
    const deadlines: unknown[] = []
    const fetch: BedrockFetch = async (_, init) => {
      deadlines.push(init?.timeout)
      throw new TimeoutError('The call did not finish within 10000 ms', { phase: 'total' })
    }
    const clock = standingClock()
    const { logger } = recordingLogger()
    const resolver = createModelResolver({ discovery: 'fallback', clock })
    const context = resolutionContext({ fetch, logger })
    for (let i = 0; i < 3; i++)
      expect(await resolver.resolve(arnOf('team-a'), context)).toMatchObject({ base: undefined })
    expect(deadlines).toEqual([{ total: 10_000 }])
    clock.time += 300_000
    await resolver.resolve(arnOf('team-a'), context)
    expect(deadlines).toHaveLength(2)
  })

  test('limits the number of remembered ARNs', async () => {
    const { resolve, calls } = setUp({ discovery: 'fallback' }, [])
    for (let i = 0; i < 600; i++) await resolve(arnOf(`team${i}`))
    await resolve(arnOf('team599'))
    expect(calls).toHaveLength(600)
    await resolve(arnOf('team0'))
    expect(calls).toHaveLength(601)
  })
})
