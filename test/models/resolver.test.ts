import { isBedrockError } from '../../src/core/errors.ts'
import { catalog, createModelResolver, type ModelResolverOptions, parseModelId } from 'outcrop/models'
import { describe, expect, test } from 'vitest'
import type { Logger, ModelRef } from '../../src/core/types.ts'
import { recordingLogger, resolutionContext } from './support.ts'

const account = '123456789012'
const resolve = (name: string, region = 'us-east-1', options: ModelResolverOptions = {}, logger?: Logger): ModelRef => {
  const model = createModelResolver(options).resolve(name, resolutionContext({ region, ...(logger && { logger }) }))
  if (model instanceof Promise) throw new Error('a name that needs no network was not resolved at once')
  return model
}
const refusal = (name: string, region?: string, options?: ModelResolverOptions) => {
  try {
    resolve(name, region, options)
  } catch (error) {
    if (isBedrockError(error, 'model_resolution')) return error
    throw error
  }
  throw new Error(`${name} was not refused`)
}

// From the model cards, with their sets of source Regions.
const sets = {
  US6: 'us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 ca-west-1',
  US5: 'us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1',
  US4: 'us-east-1 us-east-2 us-west-1 us-west-2',
  US3: 'us-east-1 us-east-2 us-west-2',
  EU8: 'eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3',
  EU7: 'eu-central-1 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-3 il-central-1',
  JP2: 'ap-northeast-1 ap-northeast-3',
  AU2: 'ap-southeast-2 ap-southeast-4',
  AU3: 'ap-southeast-2 ap-southeast-4 ap-southeast-6',
  IN2: 'ap-south-1 ap-south-2',
  GOV: 'us-gov-east-1 us-gov-west-1',
  APAC7: 'ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2',
  G5: 'us-east-1 us-east-2 us-west-2 eu-west-1 ap-northeast-1',
  G33:
    'us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 ca-west-1 sa-east-1 mx-central-1 ' +
    'eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 eu-west-3 ' +
    'il-central-1 me-central-1 me-south-1 af-south-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ' +
    'ap-south-1 ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7',
}
const everyRegion = `${sets.G33} ${sets.GOV}`.split(' ')

const cards: readonly [name: string, base: string, profiles: string][] = [
  ['claude-opus-5-5', 'anthropic.claude-opus-5-5', 'us:US6 eu:EU8 jp:JP2 au:AU2 us-gov:GOV global:G33'],
  ['claude-sonnet-5-5', 'anthropic.claude-sonnet-5-5', 'us:US6 eu:EU8 us-gov:GOV global:G33'],
  ['claude-haiku-5-5', 'anthropic.claude-haiku-5-5', 'us:US6 eu:EU8 jp:JP2 au:AU2 us-gov:GOV global:G33'],
  ['claude-fable-5-1', 'anthropic.claude-fable-5-1', 'us:US6 us-gov:GOV global:G33'],
  ['claude-mythos-5-1', 'anthropic.claude-mythos-5-1', 'us:US6 global:G33'],
  ['claude-opus-5', 'anthropic.claude-opus-5', 'us:US6 eu:EU8 au:AU2 in:IN2 us-gov:GOV global:G33'],
  ['claude-sonnet-5', 'anthropic.claude-sonnet-5', 'us:US6 eu:EU8 au:AU2 in:IN2 us-gov:GOV global:G33'],
  ['claude-fable-5', 'anthropic.claude-fable-5', 'us:US6 global:G33'],
  ['claude-mythos-5', 'anthropic.claude-mythos-5', ''],
  ['claude-opus-4-8', 'anthropic.claude-opus-4-8', 'us:US6 eu:EU8 jp:JP2 au:AU2 us-gov:GOV global:G33'],
  ['claude-opus-4-7', 'anthropic.claude-opus-4-7', 'us:US6 eu:EU8 jp:JP2 au:AU2 global:G33'],
  ['claude-opus-4-6', 'anthropic.claude-opus-4-6-v1', 'us:US6 eu:EU8 au:AU3 global:G33'],
  ['claude-sonnet-4-6', 'anthropic.claude-sonnet-4-6', 'us:US6 eu:EU8 jp:JP2 au:AU3 global:G33'],
  ['claude-opus-4-5-20251101', 'anthropic.claude-opus-4-5-20251101-v1:0', 'us:US5 eu:EU8 global:G33'],
  [
    'claude-sonnet-4-5-20250929',
    'anthropic.claude-sonnet-4-5-20250929-v1:0',
    'us:US5 eu:EU8 jp:JP2 au:AU3 us-gov:GOV global:G33',
  ],
  [
    'claude-haiku-4-5-20251001',
    'anthropic.claude-haiku-4-5-20251001-v1:0',
    'us:US5 eu:EU8 jp:JP2 au:AU3 in:IN2 global:G33',
  ],
  ['claude-opus-4-1-20250805', 'anthropic.claude-opus-4-1-20250805-v1:0', 'us:US3'],
  ['claude-sonnet-4-20250514', 'anthropic.claude-sonnet-4-20250514-v1:0', 'us:US4 eu:EU7 apac:APAC7 global:G5'],
  ['claude-3-haiku-20240307', 'anthropic.claude-3-haiku-20240307-v1:0', ''],
  ['claude-3-5-haiku-20241022', 'anthropic.claude-3-5-haiku-20241022-v1:0', ''],
]
// Where the base ID itself is offered on the runtime endpoint.
const onDemand: Record<string, string> = {
  'claude-opus-5-5': 'eu-west-2',
  'claude-opus-5': 'ap-northeast-2',
  'claude-sonnet-5': 'eu-west-2 ap-northeast-2 ap-southeast-1',
  'claude-opus-4-6': 'eu-west-2',
  'claude-sonnet-4-6': 'eu-west-2',
}

describe.each(cards)('the model card of %s', (name, base, profiles) => {
  const sources = Object.fromEntries(
    profiles
      .split(' ')
      .flatMap((entry) =>
        entry ? [[entry.split(':')[0], sets[entry.split(':')[1] as keyof typeof sets].split(' ')]] : [],
      ),
  ) as Record<string, string[]>
  const geoIn = (region: string, last: string): string | undefined => {
    const geos = Object.keys(sources).filter((geo) => sources[geo]?.includes(region))
    return geos.find((geo) => (geo === 'global') === (last !== 'global')) ?? geos[0]
  }

  test.each(everyRegion)('resolves from %s', (region) => {
    for (const geo of ['regional', 'global'] as const) {
      const prefix = geoIn(region, geo === 'regional' ? 'global' : 'regional')
      if (!prefix) {
        expect(refusal(name, region, { geo }).message).toContain(region)
        continue
      }
      const { family, version } = parseModelId(base)
      expect(resolve(name, region, { geo })).toEqual({
        id: `${prefix}.${base}`,
        base,
        family,
        version,
        region,
        geo: prefix,
        partition: region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws',
        source: 'catalog',
      })
    }
  })

  test('is in the catalog, with its source', () => {
    const row = catalog.find((model) => model.base === base)
    expect(row).toMatchObject({
      anthropicId: name,
      source: expect.stringMatching(/^https:\/\/docs\.aws\.amazon\.com\/bedrock\/.+ \(read 2026/),
    })
    expect(row?.onDemand?.join(' ') ?? '').toBe(onDemand[name] ?? '')
    expect(
      Object.fromEntries(Object.entries(row?.profiles ?? {}).map(([geo, regions]) => [geo, regions?.toSorted()])),
    ).toEqual(Object.fromEntries(Object.entries(sources).map(([geo, regions]) => [geo, regions.toSorted()])))
  })
})

test('the catalog has no other rows', () => {
  expect(catalog.map(({ base }) => base).toSorted()).toEqual(cards.map(([, base]) => base).toSorted())
})

describe("the setup page's defaults", () => {
  test.each([
    ['default', 'us-east-1', 'global.anthropic.claude-sonnet-4-6'],
    ['default', 'eu-central-1', 'global.anthropic.claude-sonnet-4-6'],
    ['default', 'ap-northeast-2', 'global.anthropic.claude-sonnet-4-6'],
    ['small', 'us-east-1', 'us.anthropic.claude-haiku-4-5-20251001-v1:0'],
    ['small', 'ca-central-1', 'us.anthropic.claude-haiku-4-5-20251001-v1:0'],
    ['small', 'ca-west-1', 'global.anthropic.claude-haiku-4-5-20251001-v1:0'],
    ['small', 'eu-west-3', 'eu.anthropic.claude-haiku-4-5-20251001-v1:0'],
    ['small', 'ap-south-1', 'in.anthropic.claude-haiku-4-5-20251001-v1:0'],
    ['sonnet', 'us-west-2', 'us.anthropic.claude-sonnet-4-6'],
    ['sonnet', 'ca-central-1', 'us.anthropic.claude-sonnet-4-6'],
    ['sonnet', 'eu-west-2', 'eu.anthropic.claude-sonnet-4-6'],
    ['sonnet', 'ap-northeast-1', 'jp.anthropic.claude-sonnet-4-6'],
    // https://github.com/anomalyco/opencode/issues/12824: an EU profile in Sydney.
    ['sonnet', 'ap-southeast-2', 'au.anthropic.claude-sonnet-4-6'],
    ['sonnet', 'ap-northeast-2', 'global.anthropic.claude-sonnet-4-6'],
    ['sonnet', 'sa-east-1', 'global.anthropic.claude-sonnet-4-6'],
    ['sonnet', 'ap-south-2', 'global.anthropic.claude-sonnet-4-6'],
    ['opus', 'us-east-1', 'us.anthropic.claude-opus-4-6-v1'],
    ['opus', 'ap-northeast-1', 'global.anthropic.claude-opus-4-6-v1'],
    ['haiku', 'ap-southeast-6', 'au.anthropic.claude-haiku-4-5-20251001-v1:0'],
    ['fable', 'us-east-1', 'us.anthropic.claude-fable-5'],
    ['fable', 'eu-central-1', 'global.anthropic.claude-fable-5'],
    ['sonnet[1m]', 'us-east-1', 'us.anthropic.claude-sonnet-4-6'],
  ])('resolves %s in %s to %s', (name, region, id) => {
    expect(resolve(name, region)).toMatchObject({ id, region, base: parseModelId(id).base, source: 'alias' })
  })

  // https://github.com/anthropics/claude-code/issues/67742: GovCloud needs `us-gov.`, and has neither Sonnet 4.6 nor Opus 4.6.
  test.each([
    ['default', 'us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0'],
    ['sonnet', 'us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0'],
    ['opus', 'us-gov.anthropic.claude-opus-4-8'],
    ['haiku', 'us-gov.anthropic.claude-haiku-5-5'],
    ['fable', 'us-gov.anthropic.claude-fable-5-1'],
  ])('resolves %s in GovCloud to the nearest version, %s, with one warning', (name, id) => {
    const { logger, lines } = recordingLogger()
    const resolver = createModelResolver()
    for (let i = 0; i < 2; i++) {
      expect(resolver.resolve(name, resolutionContext({ region: 'us-gov-west-1', logger }))).toMatchObject({
        id,
        partition: 'aws-us-gov',
        region: 'us-gov-west-1',
      })
    }
    expect(lines).toEqual([expect.stringMatching(/^warn: .*us-gov-west-1/)])
  })

  test('never replaces a chosen version', () => {
    expect(refusal('claude-sonnet-4-6', 'us-gov-west-1').candidates).toContain(
      'us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0',
    )
    expect(refusal('sonnet', 'us-gov-west-1', { pins: { sonnet: 'claude-sonnet-4-6' } }).message).toMatch(
      /us-gov-west-1/,
    )
    expect(refusal('sonnet', 'us-gov-west-1', { aliases: { sonnet: 'claude-sonnet-4-6' } }).message).toMatch(
      /us-gov-west-1/,
    )
  })
})

describe('the order of resolution', () => {
  const arn = `arn:aws:bedrock:us-east-2:${account}:application-inference-profile/opus-46-prod`
  const options: ModelResolverOptions = {
    overrides: { 'claude-opus-4-6': arn },
    pins: { opus: 'claude-opus-4-6', sonnet: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0' },
    aliases: { team: 'fast', fast: 'haiku', opus: 'claude-opus-5', thinker: 'opus' },
  }

  // https://github.com/anthropics/claude-code/issues/20594: a pinned ID was rewritten to a cross-region one.
  test.each([
    'anthropic.claude-opus-4-6-v1',
    'eu.anthropic.claude-opus-4-6-v1',
    'ca.anthropic.claude-opus-9',
    'amazon.nova-lite-v1:0',
    `arn:aws:bedrock:us-east-1:${account}:provisioned-model/abc`,
    'arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-4-6-v1',
  ])('sends a full ID unchanged: %s', (id) => {
    expect(resolve(id, 'us-east-1', options)).toMatchObject({ id, source: 'explicit', region: 'us-east-1' })
  })

  test("prefers an override to everything else, with its key's base model", () => {
    for (const name of ['claude-opus-4-6', 'opus', 'thinker']) {
      expect(resolve(name, 'eu-west-1', options)).toEqual({
        id: arn,
        base: 'anthropic.claude-opus-4-6-v1',
        family: 'opus',
        version: '4.6',
        region: 'us-east-2',
        partition: 'aws',
        geo: undefined,
        source: 'override',
      })
    }
  })

  test('allows three overrides for three versions of one family', () => {
    const overrides = Object.fromEntries(
      ['claude-opus-4-6', 'claude-opus-4-5-20251101', 'claude-opus-4-1-20250805'].map((key, i) => [key, `${arn}-${i}`]),
    ) as ModelResolverOptions['overrides']
    expect(resolve('claude-opus-4-5', 'us-east-1', { overrides })).toMatchObject({ id: `${arn}-1`, version: '4.5' })
    expect(resolve('claude-opus-4-1-20250805', 'us-east-1', { overrides })).toMatchObject({
      id: `${arn}-2`,
      version: '4.1',
    })
    expect(resolve('claude-opus-5', 'us-east-1', { overrides })).toMatchObject({ source: 'catalog' })
  })

  test('describes an override of a model that is newer than the catalog', () => {
    const ref = resolve('claude-opus-9', 'us-east-1', { overrides: { 'claude-opus-9': arn } })
    expect(ref).toMatchObject({ id: arn, base: undefined, family: 'opus', version: '9' })
  })

  test('prefers a pin to an alias, also for `default`', () => {
    expect(resolve('sonnet', 'us-east-1', options)).toMatchObject({
      id: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
      source: 'pin',
      geo: 'eu',
    })
    expect(resolve('default', 'us-east-1', options)).toMatchObject({
      id: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
      source: 'pin',
    })
    expect(resolve('haiku', 'eu-west-1', { pins: { haiku: 'claude-haiku-5-5' } })).toMatchObject({
      id: 'eu.anthropic.claude-haiku-5-5',
      source: 'pin',
    })
  })

  test('takes the family of a pinned opaque ARN from the pin', () => {
    expect(resolve('opus', 'us-east-2', { pins: { opus: arn } })).toMatchObject({
      id: arn,
      base: undefined,
      family: 'opus',
      source: 'pin',
    })
  })

  test('resolves an alias of an alias', () => {
    expect(resolve('team', 'ap-southeast-2', options)).toMatchObject({
      id: 'au.anthropic.claude-haiku-4-5-20251001-v1:0',
      source: 'alias',
    })
  })

  test.each([
    'claude-haiku-4-5',
    'claude-haiku-4-5-20251001',
    'claude-haiku-4-5-20251001-v1:0',
    'claude-haiku-4-5[1m]',
  ])('resolves %s, with or without a date', (name) => {
    expect(resolve(name, 'eu-west-1')).toMatchObject({
      base: 'anthropic.claude-haiku-4-5-20251001-v1:0',
      source: 'catalog',
    })
  })

  test('distinguishes models of different dates', () => {
    expect(refusal('claude-haiku-4-5-20990101').candidates).toContain('claude-haiku-4-5-20251001')
  })

  test('never sends `[1m]` to Bedrock', () => {
    expect(resolve('us.anthropic.claude-opus-4-6-v1[1m]')).toMatchObject({
      id: 'us.anthropic.claude-opus-4-6-v1',
      base: 'anthropic.claude-opus-4-6-v1',
    })
    expect(resolve('anthropic.claude-3-haiku-20240307-v1:0:200k').id).toBe(
      'anthropic.claude-3-haiku-20240307-v1:0:200k',
    )
  })

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('does not take %s for a model', (name) => {
    expect(refusal(name).message).toContain(name)
  })

  test('passes an unknown full ID with a debug line', () => {
    const { logger, lines } = recordingLogger()
    resolve('ca.anthropic.claude-opus-9', 'ca-central-1', {}, logger)
    resolve('us.anthropic.claude-opus-5', 'us-east-1', {}, logger)
    expect(lines).toEqual([expect.stringMatching(/^debug: .*ca\.anthropic\.claude-opus-9/)])
  })
})

describe('Regions', () => {
  // https://github.com/can1357/oh-my-pi/pull/3006: an ARN's Region was ignored.
  test('calls an ARN in its own Region and partition', () => {
    expect(
      resolve(`arn:aws:bedrock:us-east-2:${account}:application-inference-profile/abc`, 'eu-west-1'),
    ).toMatchObject({
      region: 'us-east-2',
    })
    expect(
      resolve(`arn:aws-us-gov:bedrock:us-gov-east-1:${account}:application-inference-profile/abc`, 'us-gov-west-1'),
    ).toMatchObject({
      region: 'us-gov-east-1',
      partition: 'aws-us-gov',
    })
    expect(resolve('arn:aws:bedrock:::foundation-model/anthropic.claude-opus-5', 'ap-northeast-2')).toMatchObject({
      region: 'ap-northeast-2',
    })
  })

  // https://github.com/anthropics/claude-code/issues/1432: the small model needs its own Region.
  test('calls the small model in its own Region', () => {
    const options: ModelResolverOptions = { smallModelRegion: 'us-west-2', aliases: { quick: 'small' } }
    for (const name of ['small', 'haiku', 'quick']) {
      expect(resolve(name, 'ap-northeast-2', options)).toMatchObject({
        id: 'us.anthropic.claude-haiku-4-5-20251001-v1:0',
        region: 'us-west-2',
      })
    }
    expect(resolve('sonnet', 'ap-northeast-2', options)).toMatchObject({ region: 'ap-northeast-2' })
    const pinned = {
      ...options,
      pins: { haiku: `arn:aws:bedrock:us-east-2:${account}:application-inference-profile/abc` },
    }
    expect(resolve('small', 'ap-northeast-2', pinned)).toMatchObject({ region: 'us-east-2' })
  })

  test('accepts any model as `small`', () => {
    expect(resolve('small', 'eu-west-1', { small: 'claude-sonnet-4-5' })).toMatchObject({
      id: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
    })
  })
})

describe('residency', () => {
  const opaque = `arn:aws:bedrock:eu-west-1:${account}:application-inference-profile/abc`

  test.each([
    ['default', 'eu-central-1', 'eu', 'eu.anthropic.claude-sonnet-4-6'],
    ['sonnet', 'eu-west-2', 'eu', 'eu.anthropic.claude-sonnet-4-6'],
    ['default', 'ap-northeast-1', 'jp', 'jp.anthropic.claude-sonnet-4-6'],
    ['opus', 'ap-northeast-1', 'jp', 'jp.anthropic.claude-opus-4-7'],
    ['sonnet', 'ca-central-1', 'us', 'us.anthropic.claude-sonnet-4-6'],
    ['default', 'us-gov-east-1', 'us-gov', 'us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0'],
    ['claude-opus-5', 'ap-south-1', ['in', 'eu'], 'in.anthropic.claude-opus-5'],
    // If the geography is too wide, the Region alone may be allowed.
    ['claude-opus-5', 'ap-northeast-2', 'ap-northeast-2', 'anthropic.claude-opus-5'],
    ['sonnet', 'ap-northeast-2', 'ap-northeast-2', 'anthropic.claude-sonnet-5'],
    ['claude-sonnet-5', 'eu-west-2', 'eu-west-2', 'anthropic.claude-sonnet-5'],
    ['sonnet', 'us-east-1', ['us-east-1', 'us-east-2', 'us-west-2'], 'us.anthropic.claude-sonnet-4-6'],
    ['jp.anthropic.claude-opus-5-5', 'ap-northeast-1', 'apac', 'jp.anthropic.claude-opus-5-5'],
    ['anthropic.claude-opus-5-5', 'eu-west-2', 'eu', 'anthropic.claude-opus-5-5'],
    [
      `arn:aws:bedrock:eu-west-1:${account}:provisioned-model/abc`,
      'eu-west-1',
      'eu',
      `arn:aws:bedrock:eu-west-1:${account}:provisioned-model/abc`,
    ],
  ])('allows %s from %s, which stays in %s', (name, region, residency, id) => {
    expect(resolve(name, region, { residency }).id).toBe(id)
  })

  test.each([
    ['global.anthropic.claude-sonnet-4-6', 'eu-central-1', 'eu'],
    ['us.anthropic.claude-sonnet-4-6', 'us-east-1', 'eu'],
    ['eu.anthropic.claude-sonnet-4-6', 'us-east-1', 'eu'],
    ['sonnet', 'us-east-1', 'eu'],
    ['fable', 'eu-central-1', 'eu'],
    ['claude-sonnet-5', 'ap-northeast-1', 'jp'],
    ['haiku', 'ap-northeast-2', 'ap-northeast-2'],
    ['claude-sonnet-4-6', 'ap-northeast-2', 'ap-northeast-2'],
    ['sonnet', 'ca-central-1', ['us-east-1', 'us-east-2', 'us-west-2']],
    ['sonnet', 'eu-west-2', ['eu-central-1', 'eu-north-1', 'eu-south-1', 'eu-south-2', 'eu-west-1', 'eu-west-3']],
    ['claude-sonnet-4-20250514', 'il-central-1', 'eu'],
    ['anthropic.claude-sonnet-4-6', 'us-east-1', 'eu'],
    ['us-gov.anthropic.claude-opus-5', 'us-gov-west-1', 'us'],
    ['ca.anthropic.claude-opus-9', 'ca-central-1', 'us'],
    [`arn:aws:bedrock:us-east-1:${account}:inference-profile/us.anthropic.claude-opus-5`, 'eu-west-1', 'eu'],
    [`arn:aws:bedrock:eu-west-1:${account}:prompt-router/abc`, 'eu-west-1', 'eu'],
    [opaque, 'eu-west-1', 'eu'],
  ])('rejects %s from %s, which may leave %s', (name, region, residency) => {
    const error = refusal(name, region, { residency })
    expect(error.message).toContain([residency].flat().join(', '))
    expect(error.hint).toBeTruthy()
  })

  test('allows an opaque ARN if its Regions are given', () => {
    const options: ModelResolverOptions = { residency: 'eu', profiles: { [opaque]: 'eu.anthropic.claude-sonnet-4-6' } }
    expect(resolve(opaque, 'eu-west-1', options)).toMatchObject({
      id: opaque,
      base: 'anthropic.claude-sonnet-4-6',
      geo: undefined,
    })
    expect(
      refusal(opaque, 'eu-west-1', { residency: 'eu', profiles: { [opaque]: 'global.anthropic.claude-sonnet-4-6' } }),
    ).toBeTruthy()
  })
})

describe('opaque ARNs', () => {
  const opaque = `arn:aws:bedrock:us-east-2:${account}:application-inference-profile/abc`

  test('are called unchanged, with an unknown base model', () => {
    expect(resolve(opaque)).toMatchObject({ id: opaque, base: undefined, family: undefined, geo: undefined })
  })

  test('have the base model of `profiles`, or of an override', () => {
    const base = 'anthropic.claude-opus-4-6-v1'
    expect(resolve(opaque, 'us-east-1', { profiles: { [opaque]: base } })).toMatchObject({
      base,
      family: 'opus',
      version: '4.6',
      source: 'explicit',
    })
    expect(resolve(opaque, 'us-east-1', { overrides: { 'claude-opus-4-6': opaque } })).toMatchObject({
      base,
      source: 'explicit',
    })
  })
})

describe('availableModels', () => {
  const arn = `arn:aws:bedrock:us-east-2:${account}:application-inference-profile/abc`
  const overrides = { 'claude-opus-4-6': arn }

  test.each([
    ['sonnet', ['sonnet']],
    ['default', ['sonnet']],
    ['eu.anthropic.claude-sonnet-5', ['sonnet']],
    ['claude-opus-4-5', ['claude-opus-4']],
    ['claude-opus-4-5', ['claude-opus-4-5']],
    ['claude-opus-4-5', ['claude-opus-4-5-20251101']],
    ['claude-opus-4-5', ['claude-opus-4-5[1m]']],
    ['opus', ['claude-opus-4-6']],
    ['claude-sonnet-4-6', ['anthropic.claude-sonnet-4-6']],
    ['us.anthropic.claude-opus-5', ['us.anthropic.claude-opus-5']],
    ['amazon.nova-lite-v1:0', ['sonnet', 'amazon.nova-lite-v1:0']],
    [arn, [arn]],
  ])('allows %s with %j', (name, availableModels) => {
    expect(resolve(name, 'us-east-1', { availableModels }).id).toBeTruthy()
  })

  test.each([
    ['opus', ['sonnet']],
    ['claude-opus-4-6', ['claude-opus-4-5']],
    ['claude-opus-4-1', ['claude-opus-4-10']],
    ['opus', ['opus', 'claude-opus-5']],
    ['us.anthropic.claude-opus-5', ['eu.anthropic.claude-opus-5']],
    ['claude-opus-4-5', ['anthropic.claude-opus-4-5']],
    ['amazon.nova-lite-v1:0', ['sonnet']],
    [arn, ['sonnet', 'opus']],
    ['sonnet', []],
  ])('rejects %s with %j, and lists the allowed ones', (name, availableModels) => {
    const error = refusal(name, 'us-east-1', { availableModels })
    expect(error).toMatchObject({
      candidates: availableModels,
      hint: expect.stringContaining(availableModels.join(', ')),
    })
  })

  test('is matched against the model, not its override', () => {
    expect(resolve('opus', 'us-east-1', { overrides, availableModels: ['opus'] }).id).toBe(arn)
    expect(refusal('opus', 'us-east-1', { overrides, availableModels: [arn] })).toBeTruthy()
  })
})

// The recipe of docs/models.md.
describe('versions of an organization', () => {
  const profile = (id: string) => `arn:aws:bedrock:us-east-2:${account}:application-inference-profile/${id}`
  const options: ModelResolverOptions = {
    pins: { opus: 'claude-opus-4-6', sonnet: 'claude-sonnet-4-6', haiku: 'claude-haiku-4-5' },
    overrides: { 'claude-opus-4-6': profile('opus-46-prod'), 'claude-opus-4-5-20251101': profile('opus-45-prod') },
    availableModels: ['claude-opus-4-6', 'claude-opus-4-5', 'claude-sonnet-4-6', 'haiku'],
    residency: 'us',
    profiles: {
      [profile('opus-46-prod')]: 'us.anthropic.claude-opus-4-6-v1',
      [profile('opus-45-prod')]: 'us.anthropic.claude-opus-4-5-20251101-v1:0',
    },
  }

  test.each([
    ['opus', profile('opus-46-prod')],
    ['claude-opus-4-5', profile('opus-45-prod')],
    ['default', 'us.anthropic.claude-sonnet-4-6'],
    ['small', 'us.anthropic.claude-haiku-4-5-20251001-v1:0'],
  ])('resolve %s to %s', (name, id) => {
    expect(resolve(name, 'us-east-2', options).id).toBe(id)
  })

  test.each(['claude-opus-5', 'fable', 'claude-sonnet-4-5', 'global.anthropic.claude-sonnet-4-6'])(
    'reject %s',
    (name) => {
      expect(refusal(name, 'us-east-2', options)).toBeTruthy()
    },
  )
})

describe('unknown names', () => {
  test.each([
    ['sonet', 'sonnet'],
    ['claude-sonet-4-6', 'claude-sonnet-4-6'],
    ['claude-opus-4-60', 'claude-opus-4-6'],
    ['claude-haiku-45', 'claude-haiku-4-5-20251001'],
    ['Opus', 'opus'],
  ])('reject %s with %s among the suggestions', (name, near) => {
    const error = refusal(name)
    expect(error.candidates).toContain(near)
    expect(error.hint).toContain(near)
    expect(error.hint).toMatch(/^Did you mean .+\?$/)
  })

  test('suggest a similar name as a question', () => {
    expect(refusal('sonet').hint).toBe('Did you mean sonnet?')
  })

  test('list the callable models without a question', () => {
    expect(refusal('claude-sonnet-4-6', 'us-gov-west-1').hint).toMatch(/^Available: us-gov\.anthropic\./)
  })

  test('have a hint even without a similar name', () => {
    expect(refusal('x'.repeat(5000))).toMatchObject({ candidates: [], hint: expect.stringContaining('ARN') })
  })

  test('have the retirement date of a retired model', () => {
    expect(refusal('claude-3-haiku-20240307').message).toContain('2026-09-10')
  })
})

describe('impossible options', () => {
  test.each<[string, ModelResolverOptions]>([
    ['a full ID as an alias', { aliases: { 'us.anthropic.claude-opus-5': 'sonnet' } }],
    ['a pin of an unknown family', { pins: { opsu: 'opus' } as ModelResolverOptions['pins'] }],
    [
      'an unknown model',
      { profiles: { [`arn:aws:bedrock:us-east-1:${account}:application-inference-profile/a`]: 'sonnet' } },
    ],
    ['an unknown residency', { residency: 'europe' }],
    ['an empty residency', { residency: [] }],
    ['a geography outside of the residency', { geo: 'global', residency: 'eu' }],
    ['an unknown geography', { geo: 'eu' as 'global' }],
    ['an invalid Region', { smallModelRegion: 'oregon' }],
    ['a number as an alias', { aliases: { mine: 42 as never } }],
    ['an empty pin', { pins: { opus: '' } }],
    ['null as an override', { overrides: { 'claude-opus-5': null as never } }],
    ['an object as the small model', { small: {} as never }],
    ['a misspelled option', { alias: { mine: 'sonnet' } } as never],
    ['a string as the list of models', { availableModels: 'sonnet' as never }],
    ['a list of models with a number in it', { availableModels: [42 as never] }],
  ])('reject %s at once', (_, options) => {
    expect(() => createModelResolver(options)).toThrow(expect.objectContaining({ code: 'configuration' }))
  })

  test('distinguish an empty string from another type', () => {
    expect(() => createModelResolver({ pins: { opus: '' } })).toThrow('models.pins.opus must be a name, not empty')
    expect(() => createModelResolver({ aliases: { mine: 42 as never } })).toThrow('must be a name, not a number')
  })

  test('ignore an entry that is undefined', () => {
    const options = {
      aliases: { mine: undefined },
      pins: { opus: undefined },
      overrides: { 'claude-opus-5': undefined },
    }
    expect(resolve('opus', 'us-east-1', options as never)).toEqual(resolve('opus'))
    expect(refusal('mine', 'us-east-1', options as never)).toBeTruthy()
  })

  test('reject a name that is not a string', () => {
    const named = (name: unknown) => () => resolve(name as string)
    expect(named(42)).toThrow("A model's name must be a string, not a number")
    expect(named(undefined)).toThrow(expect.objectContaining({ code: 'configuration' }))
  })
})

// One unknown name must not kill the client: only the calls that use it fail, and the error names the option.
describe('options with an unknown name', () => {
  const opaque = `arn:aws:bedrock:evil.example:${account}:application-inference-profile/abc`

  test.each<[string, string, ModelResolverOptions, RegExp, RegExp]>([
    [
      'an alias',
      'mine',
      { aliases: { mine: 'sonet' } },
      /^models\.aliases\.mine is sonet, which is not a model, alias or ARN$/,
      /^Did you mean sonnet\?$/,
    ],
    [
      'an alias of an alias',
      'ours',
      { aliases: { ours: 'mine', mine: 'sonet' } },
      /^models\.aliases\.mine is sonet,/,
      /sonnet/,
    ],
    [
      'a pin',
      'opus',
      { pins: { opus: 'claude-opus-99' } },
      /^models\.pins\.opus is claude-opus-99, which is not a model/,
      /^Did you mean claude-opus-/,
    ],
    [
      'a pin that the Region does not have',
      'sonnet',
      { pins: { sonnet: 'claude-mythos-5' } },
      /^models\.pins\.sonnet is claude-mythos-5, which cannot be called from us-east-1$/,
      /./,
    ],
    [
      'the default',
      'default',
      { aliases: { default: 'newest' }, origins: { 'aliases.default': 'model in /etc/settings.json' } },
      /^models\.aliases\.default \(model in \/etc\/settings\.json\) is newest,/,
      /ARN/,
    ],
    ['the small model', 'small', { small: 'tiny' }, /^models\.small is tiny, which is not a model/, /./],
    [
      'an override to a name',
      'claude-opus-5',
      { overrides: { 'claude-opus-5': 'opus' }, origins: { 'overrides.claude-opus-5': 'modelOverrides' } },
      /^models\.overrides\.claude-opus-5 \(modelOverrides\) is opus, which is neither a model ID nor the ARN of a model$/,
      /arn:aws:bedrock/,
    ],
    [
      'an invalid ARN',
      'haiku',
      { pins: { haiku: opaque }, origins: { 'pins.haiku': 'ANTHROPIC_DEFAULT_HAIKU_MODEL' } },
      /^models\.pins\.haiku \(ANTHROPIC_DEFAULT_HAIKU_MODEL\) is arn:aws:bedrock:evil\.example:/,
      /arn:aws:bedrock:us-east-1/,
    ],
  ])('%s fails only the calls that use it, and names the option', (_, name, options, message, hint) => {
    const error = refusal(name, 'us-east-1', options)
    expect(error.message).toMatch(message)
    expect(error.hint).toMatch(hint)
    // All else works.
    expect(resolve('claude-sonnet-4-6', 'us-east-1', options).id).toBe('us.anthropic.claude-sonnet-4-6')
  })

  test.each<[string, string, ModelResolverOptions, string, string]>([
    ['of aliases', 'a', { aliases: { a: 'b', b: 'a' } }, 'a -> b -> a', 'models.aliases.a or models.aliases.b'],
    ['of a pin', 'opus', { pins: { opus: 'opus' } }, 'opus -> opus', 'models.pins.opus'],
    [
      'with a built-in alias',
      'haiku',
      { aliases: { haiku: 'small' } },
      'haiku -> small -> haiku',
      'models.aliases.haiku',
    ],
  ])('reject a cycle %s', (_, name, options, names, culprits) => {
    expect(() => resolve(name, 'us-east-1', options)).toThrow(
      expect.objectContaining({
        code: 'configuration',
        message: `The model aliases form a cycle: ${names}`,
        hint: `Change ${culprits}.`,
      }),
    )
    expect(resolve('sonnet', 'us-east-1', options).id).toBe('us.anthropic.claude-sonnet-4-6')
  })

  test('allow nothing for an unknown entry of availableModels', () => {
    const options = { availableModels: ['sonet', 'arn:x', '', 'sonnet'] }
    expect(resolve('sonnet', 'us-east-1', options).id).toBe('us.anthropic.claude-sonnet-4-6')
    expect(
      refusal('opus', 'us-east-1', { ...options, origins: { availableModels: 'managed settings' } }),
    ).toMatchObject({
      hint: expect.stringContaining('models.availableModels (managed settings)'),
    })
  })
})

// https://code.claude.com/docs/en/model-config
describe("Claude Code's special names", () => {
  test.each([
    ['default', 'global.anthropic.claude-sonnet-4-6'],
    ['fable', 'us.anthropic.claude-fable-5'],
    ['best', 'us.anthropic.claude-opus-4-6-v1'],
    ['best[1m]', 'us.anthropic.claude-opus-4-6-v1'],
    ['opusplan', 'us.anthropic.claude-sonnet-4-6'],
    ['opusplan[1m]', 'us.anthropic.claude-sonnet-4-6'],
    ['opus[1m]', 'us.anthropic.claude-opus-4-6-v1'],
    ['sonnet[1m]', 'us.anthropic.claude-sonnet-4-6'],
  ])('resolve %s to %s', (name, id) => {
    expect(resolve(name)).toMatchObject({ id, source: 'alias' })
    // As the setting "model" has it.
    expect(resolve('default', 'us-east-1', { aliases: { default: name === 'default' ? 'sonnet' : name } }).base).toBe(
      parseModelId(id).base,
    )
  })

  test('resolve `best` to a configured Fable', () => {
    expect(resolve('best', 'us-east-1', { pins: { fable: 'claude-fable-5-1' } })).toMatchObject({
      id: 'us.anthropic.claude-fable-5-1',
    })
    expect(resolve('best', 'us-east-1', { pins: { opus: 'claude-opus-5' } })).toMatchObject({
      id: 'us.anthropic.claude-opus-5',
    })
  })

  test('resolve `opusplan` with the pin of sonnet', () => {
    expect(resolve('opusplan', 'us-east-1', { pins: { sonnet: 'claude-sonnet-5' } }).id).toBe(
      'us.anthropic.claude-sonnet-5',
    )
  })
})

describe('availableModels as in Claude Code', () => {
  const options: ModelResolverOptions = { availableModels: ['opus'], enforceAvailableModels: false }

  test('keeps the default and the small model', () => {
    expect(resolve('default', 'us-east-1', options).id).toBe('global.anthropic.claude-sonnet-4-6')
    expect(resolve('small', 'us-east-1', options).id).toBe('us.anthropic.claude-haiku-4-5-20251001-v1:0')
    expect(resolve('default', 'us-east-1', { ...options, availableModels: [] }).id).toBe(
      'global.anthropic.claude-sonnet-4-6',
    )
    const arn = `arn:aws:bedrock:us-east-2:${account}:application-inference-profile/abc`
    const overrides = { 'claude-sonnet-4-6': arn } as const
    expect(resolve('default', 'us-east-1', { ...options, pins: { sonnet: 'claude-sonnet-4-6' }, overrides }).id).toBe(
      arn,
    )
  })

  test('requires a chosen default in the list, so that users cannot bypass it', () => {
    expect(refusal('default', 'us-east-1', { ...options, aliases: { default: 'haiku' } })).toBeTruthy()
    expect(resolve('default', 'us-east-1', { ...options, aliases: { default: 'opus' } }).family).toBe('opus')
  })

  test.each(['sonnet', 'haiku', 'claude-sonnet-4-6', 'global.anthropic.claude-sonnet-4-6', 'opusplan'])(
    'rejects %s by its name',
    (name) => {
      expect(refusal(name, 'us-east-1', options)).toBeTruthy()
    },
  )

  test('applies to all names if enforced, which is the default', () => {
    expect(refusal('default', 'us-east-1', { availableModels: ['opus'] })).toBeTruthy()
    expect(refusal('small', 'us-east-1', { availableModels: ['opus'], enforceAvailableModels: true })).toBeTruthy()
  })

  test('does not lift the residency', () => {
    expect(refusal('default', 'us-east-1', { ...options, residency: 'eu' }).message).toContain('eu')
  })
})

describe('explain', () => {
  const explain = (name: string, region: string, options: ModelResolverOptions = {}) =>
    createModelResolver(options).explain(name, resolutionContext({ region }))

  test('shows the whole decision in order, as data and as text', async () => {
    const explanation = await explain('team', 'eu-central-1', {
      aliases: { team: 'opus' },
      pins: { opus: 'claude-opus-4-8' },
      residency: 'eu',
    })
    expect(explanation).toMatchObject({
      name: 'team',
      region: 'eu-central-1',
      model: { id: 'eu.anthropic.claude-opus-4-8', source: 'pin' },
    })
    expect(explanation.steps.map(({ step }) => step)).toEqual([
      'alias',
      'pin',
      'catalog',
      'residency',
      'availableModels',
    ])
    const text = String(explanation)
    expect(text.split('\n')[0]).toBe('team in eu-central-1')
    expect(text).toMatch(/pin +opus is claude-opus-4-8\n/)
    expect(text).toMatch(
      /= eu\.anthropic\.claude-opus-4-8 in eu-central-1 \(pin\), which is anthropic\.claude-opus-4-8$/,
    )
  })

  test('shows why a name does not resolve, without rejecting', async () => {
    const explanation = await explain('sonet', 'eu-central-1')
    expect(explanation).toMatchObject({ error: { code: 'model_resolution' } })
    expect(explanation.model).toBeUndefined()
    expect(String(explanation)).toContain('sonnet')
  })
})

describe('list', () => {
  test("returns the catalog's models of a Region", async () => {
    const profiles = await createModelResolver().list(resolutionContext({ region: 'eu-west-2' }))
    expect(profiles).toContainEqual({
      id: 'eu.anthropic.claude-sonnet-4-6',
      type: 'SYSTEM_DEFINED',
      base: 'anthropic.claude-sonnet-4-6',
      geo: 'eu',
      regions: ['eu-central-1', 'eu-north-1', 'eu-south-1', 'eu-south-2', 'eu-west-1', 'eu-west-3', 'eu-west-2'],
    })
    expect(profiles.find(({ id }) => id === 'global.anthropic.claude-sonnet-4-6')).toMatchObject({ regions: undefined })
    expect(profiles.some(({ geo }) => geo === 'us')).toBe(false)
  })
})
