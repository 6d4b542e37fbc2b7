import * as fc from 'fast-check'
import { formatModelId, isFullModelId, parseModelId } from 'outcrop/models'
import { describe, expect, test } from 'vitest'

const account = '123456789012'

describe('parseModelId', () => {
  test.each([
    [
      'anthropic.claude-sonnet-4-6',
      { base: 'anthropic.claude-sonnet-4-6', provider: 'anthropic', family: 'sonnet', version: '4.6' },
    ],
    ['anthropic.claude-opus-4-6-v1', { base: 'anthropic.claude-opus-4-6-v1', family: 'opus', version: '4.6' }],
    ['anthropic.claude-opus-5', { base: 'anthropic.claude-opus-5', family: 'opus', version: '5' }],
    ['anthropic.claude-sonnet-4-20250514-v1:0', { family: 'sonnet', version: '4' }],
    ['anthropic.claude-haiku-4-5-20251001-v1:0', { family: 'haiku', version: '4.5' }],
    ['anthropic.claude-3-haiku-20240307-v1:0', { family: 'haiku', version: '3' }],
    ['anthropic.claude-3-5-haiku-20241022-v1:0', { family: 'haiku', version: '3.5' }],
    ['amazon.nova-lite-v1:0', { base: 'amazon.nova-lite-v1:0', provider: 'amazon' }],
    ['ai21.jamba-1-5-large-v1:0', { provider: 'ai21' }],
    // The dot belongs to the model's own name.
    ['zai.glm-4.7', { base: 'zai.glm-4.7', provider: 'zai' }],
    ['deepseek.v3.2', { base: 'deepseek.v3.2', provider: 'deepseek' }],
  ])('parses the base ID %s', (id, expected) => {
    expect(parseModelId(id)).toMatchObject({ kind: 'foundation-model', ...expected })
    expect(parseModelId(id)).not.toHaveProperty('geo')
  })

  test.each(['us', 'eu', 'jp', 'au', 'in', 'apac', 'us-gov', 'global', 'ca', 'eu-isoe'])(
    'recognizes %s as a profile prefix',
    (geo) => {
      expect(parseModelId(`${geo}.anthropic.claude-haiku-4-5-20251001-v1:0`)).toEqual({
        kind: 'inference-profile',
        geo,
        base: 'anthropic.claude-haiku-4-5-20251001-v1:0',
        provider: 'anthropic',
        family: 'haiku',
        version: '4.5',
      })
    },
  )

  test.each([
    [
      'arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-5',
      'foundation-model',
      { base: 'anthropic.claude-opus-5', region: 'us-east-1' },
    ],
    [
      `arn:aws:bedrock:eu-west-1:${account}:inference-profile/eu.anthropic.claude-opus-5`,
      'inference-profile',
      { base: 'anthropic.claude-opus-5', geo: 'eu', account },
    ],
    [
      `arn:aws-us-gov:bedrock:us-gov-west-1:${account}:inference-profile/us-gov.anthropic.claude-opus-5`,
      'inference-profile',
      { geo: 'us-gov', partition: 'aws-us-gov' },
    ],
    [
      `arn:aws:bedrock:us-east-2:${account}:application-inference-profile/abc`,
      'application-inference-profile',
      { resource: 'abc', region: 'us-east-2' },
    ],
    [`arn:aws:bedrock:us-east-1:${account}:provisioned-model/abc`, 'provisioned-model', { resource: 'abc' }],
    [
      `arn:aws:bedrock:us-east-1:${account}:custom-model/amazon.titan-text-lite-v1:0:4k/abc`,
      'custom-model',
      { resource: 'amazon.titan-text-lite-v1:0:4k/abc' },
    ],
    [
      `arn:aws:bedrock:us-east-1:${account}:custom-model-deployment/abc`,
      'custom-model-deployment',
      { resource: 'abc' },
    ],
    [`arn:aws:bedrock:us-east-1:${account}:imported-model/abc`, 'imported-model', { resource: 'abc' }],
    [`arn:aws:bedrock:us-east-1:${account}:prompt/ABC:1`, 'prompt', { resource: 'ABC:1' }],
    [
      `arn:aws:bedrock:us-east-1:${account}:default-prompt-router/anthropic.claude:1`,
      'default-prompt-router',
      { resource: 'anthropic.claude:1' },
    ],
    [`arn:aws:sagemaker:us-east-1:${account}:endpoint/mine`, 'endpoint', { service: 'sagemaker', resource: 'mine' }],
  ])('parses the ARN %s', (arn, kind, expected) => {
    const parsed = parseModelId(arn)
    expect(parsed).toMatchObject({ kind, ...expected })
    expect(parsed.base === undefined).toBe('resource' in expected)
  })

  test.each(['application-inference-profile', 'inference-profile-of-another-kind', 'imported-model'])(
    'takes no model from the resource name of %s',
    (kind) => {
      const parsed = parseModelId(`arn:aws:bedrock:us-east-1:123456789012:${kind}/us.anthropic.claude-sonnet-4-6`)
      expect(parsed).toMatchObject({ kind, resource: 'us.anthropic.claude-sonnet-4-6' })
      expect(parsed).not.toHaveProperty('base')
    },
  )

  test("parses a foundation model's ARN without a Region, which policies for global profiles use", () => {
    const parsed = parseModelId('arn:aws:bedrock:::foundation-model/anthropic.claude-opus-5')
    expect(parsed).toMatchObject({ kind: 'foundation-model', base: 'anthropic.claude-opus-5', partition: 'aws' })
    expect(parsed).not.toHaveProperty('region')
    expect(parsed).not.toHaveProperty('account')
  })

  test.each([
    ['anthropic.claude-3-haiku-20240307-v1:0:200k', ':200k', 'anthropic.claude-3-haiku-20240307-v1:0'],
    ['us.anthropic.claude-sonnet-4-6[1m]', '[1m]', 'anthropic.claude-sonnet-4-6'],
    ['anthropic.claude-sonnet-4-6:51k', ':51k', 'anthropic.claude-sonnet-4-6'],
  ])('separates the context suffix of %s', (id, suffix, base) => {
    expect(parseModelId(id)).toMatchObject({ suffix, base })
  })

  test.each(['sonnet', 'claude-sonnet-4-6', 'claude-3.5-sonnet', 'sonnet4.6', '', 'arn:aws:bedrock', 'a b.c', '[1m]'])(
    'parses %j as a name',
    (name) => {
      expect(parseModelId(name).kind).toBe('name')
    },
  )
})

describe('isFullModelId', () => {
  test.each([
    'anthropic.claude-sonnet-4-6',
    'us.anthropic.claude-sonnet-4-6[1m]',
    'amazon.nova-lite-v1:0',
    'arn:aws:bedrock:us-east-1:123456789012:prompt/A:1',
    'arn:aws:bedrock:::foundation-model/anthropic.claude-opus-5',
    'arn:aws-cn:bedrock:cn-north-1:123456789012:application-inference-profile/abc',
  ])('returns true for %s', (id) => {
    expect(isFullModelId(id)).toBe(true)
  })
  test.each(['sonnet', 'sonnet[1m]', 'claude-sonnet-4-6', 'claude-3.5-sonnet', ''])('returns false for %j', (name) => {
    expect(isFullModelId(name)).toBe(false)
  })
})

describe('a malformed ARN is a name, not a full ID', () => {
  test.each([
    ['with a host as its Region', 'arn:aws:bedrock:evil.example/:123456789012:application-inference-profile/abc'],
    ['with an invalid Region', 'arn:aws:bedrock:us-east:123456789012:application-inference-profile/abc'],
    ['with a Region of another partition', 'arn:aws:bedrock:cn-north-1:123456789012:application-inference-profile/abc'],
    ['with the partition of another Region', 'arn:aws-us-gov:bedrock:us-east-1:123456789012:inference-profile/us.a.b'],
    ['with an invalid partition', 'arn:aws-evil:bedrock:::foundation-model/anthropic.claude-opus-5'],
    ['with a service that has no models', 'arn:aws:iam:us-east-1:123456789012:role/admin'],
    ['with a short account', 'arn:aws:bedrock:us-east-1:12345678901:provisioned-model/abc'],
    ['with a word as its account', 'arn:aws:bedrock:us-east-1:evil:provisioned-model/abc'],
    ['with a space in its resource', 'arn:aws:bedrock:us-east-1:123456789012:provisioned-model/a b'],
    ['with a query in its resource', 'arn:aws:bedrock:us-east-1:123456789012:provisioned-model/a?b'],
    ['with a line break in its resource', 'arn:aws:bedrock:us-east-1:123456789012:provisioned-model/a\n'],
    ['with dots at the start of its resource', 'arn:aws:bedrock:us-east-1:123456789012:provisioned-model/../a'],
    ['without a resource', 'arn:aws:bedrock:us-east-1:123456789012:provisioned-model/'],
    ['that is too long', `arn:aws:bedrock:us-east-1:123456789012:provisioned-model/${'a'.repeat(2048)}`],
  ])('%s', (_, text) => {
    expect(isFullModelId(text)).toBe(false)
    expect(parseModelId(text)).toEqual({ kind: 'name', resource: text })
  })
})

// https://owasp.org/www-community/attacks/Regular_expression_Denial_of_Service_-_ReDoS: a name may come from anybody.
describe('parses a name of 2 MB in no time', () => {
  const size = 2_000_000
  test.each([
    ['context suffixes', ':1k'.repeat(size / 3)],
    ['bracketed suffixes', '[1m]'.repeat(size / 4)],
    ['digits', `a.b:${'1'.repeat(size)}`],
    ['periods', 'a.'.repeat(size / 2)],
    ['dashes', 'a-'.repeat(size / 2)],
    ['an ARN that does not end', 'arn:aws:bedrock:'.repeat(size / 16)],
  ])('%s', (_, unit) => {
    // Beyond 2048 characters nothing is looked for at all.
    expect(parseModelId(`${unit}!`)).toEqual({ kind: 'name', resource: `${unit}!` })
    expect(isFullModelId(`${unit.slice(0, 2047)}!`)).toBe(false)
  })
})

describe('formatModelId', () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/)
  const suffix = fc.constantFrom('', ':200k', '[1m]', ':48k[1m]')
  const base = fc.oneof(
    fc.constantFrom(
      'anthropic.claude-opus-5',
      'anthropic.claude-opus-4-5-20251101-v1:0',
      'zai.glm-4.7',
      'deepseek.v3.2',
    ),
    fc.tuple(word, word).map(([provider, model]) => `${provider}.${model}`),
  )
  const geo = fc.oneof(
    fc.constantFrom('', 'us.', 'us-gov.', 'global.', 'ca.'),
    word.map((prefix) => `${prefix}.`),
  )
  const id = fc.tuple(geo, base, suffix).map((parts) => parts.join(''))
  const resourceType = fc.oneof(
    fc.constantFrom('foundation-model', 'inference-profile', 'application-inference-profile', 'custom-model', 'prompt'),
    word,
  )
  const arn = fc
    .tuple(
      fc.constantFrom('aws', 'aws-us-gov', 'aws-cn'),
      fc.constantFrom('bedrock', 'sagemaker'),
      fc.oneof(fc.constant(''), word),
      fc.constantFrom('', account),
      resourceType,
      fc.oneof(id, word, fc.string()),
    )
    .map(
      ([partition, service, region, owner, type, resource]) =>
        `arn:${partition}:${service}:${region}:${owner}:${type}/${resource}`,
    )

  test.each([
    ['IDs', id],
    ['ARNs', arn],
    ['any text', fc.string()],
    ['any text with dots, colons and brackets', fc.stringMatching(/^[a-z0-9.:[\]/-]*$/)],
  ])('formats what parseModelId returned: %s', (_, texts) => {
    fc.assert(
      fc.property(texts, (text) => formatModelId(parseModelId(text)) === text),
      { numRuns: 2000 },
    )
  })

  test('formats an ID with another geography', () => {
    expect(formatModelId({ ...parseModelId('us.anthropic.claude-opus-5'), geo: 'eu' })).toBe(
      'eu.anthropic.claude-opus-5',
    )
  })
})
