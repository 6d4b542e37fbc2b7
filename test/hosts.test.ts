import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { createBedrockClient, isBedrockError } from 'outcrop'
import { anthropicFetch } from 'outcrop/anthropic'
import { createBedrockClient as createCoreClient } from 'outcrop/core'
import { fromAssumeRole, fromWebIdentity } from 'outcrop/credentials'
import { getCallerIdentity } from 'outcrop/diagnostics'
import { settingsFromEnvironment, toClientOptions } from 'outcrop/settings'
import { afterEach, describe, expect, test, vi } from 'vitest'

// Credentials and prompts go only to AWS, for any ID, ARN or Region, from any source.
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)

afterEach(() => vi.unstubAllEnvs())

const suffixes = [
  'amazonaws.com',
  'amazonaws.com.cn',
  'amazonaws.eu',
  'c2s.ic.gov',
  'sc2s.sgov.gov',
  'cloud.adc-e.uk',
  'csp.hci.ic.gov',
]
const isOfAws = (host: string): boolean => {
  const [service = '', region = '', ...suffix] = host.split('.')
  return (
    /^(bedrock|bedrock-runtime|sts)$/.test(service) && /^[a-z\d-]+$/.test(region) && suffixes.includes(suffix.join('.'))
  )
}

test("recognizes AWS's hosts", () => {
  for (const host of ['bedrock-runtime.us-east-1.amazonaws.com', 'sts.cn-north-1.amazonaws.com.cn'])
    expect(isOfAws(host)).toBe(true)
  for (const host of [
    'bedrock.us-east-1.evilamazonaws.com',
    'bedrock-runtime.evil.example',
    'a.b.amazonaws.com.evil.x',
  ])
    expect(isOfAws(host)).toBe(false)
})

const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example' }
const question = { max_tokens: 1, messages: [{ role: 'user' as const, content: 'Hi' }] }
const body = { anthropic_version: 'bedrock-2023-05-31', ...question }
const good = 'us.anthropic.claude-sonnet-4-6'
const goodArn = 'arn:aws:bedrock:us-east-2:123456789012:application-inference-profile/abc'

const region = fc.oneof(
  fc.constantFrom('us-east-1', 'cn-north-1', 'us-gov-west-1', 'us-iso-east-1', 'evil-example-1'),
  fc.constantFrom(
    'evil.example',
    'evil.example/',
    'us-east-1.evil.example/',
    'us-east-1@evil.example',
    'us-east-1:x@evil.example:443',
    'evil.example#-1',
    'evil.example?a-b-1',
    '\\evil.example\\us-east-1',
    '//evil.example/us-east-1',
    'us-east-1\n',
    'us-east-1 ',
    'US-EAST-1',
    'evil。example-1',
    'us-east-1%2f',
    `${'a'.repeat(70)}-b-1`,
    '\ud800-east-1',
  ),
  fc.string({ maxLength: 40, unit: 'binary' }),
  fc.stringMatching(/^[a-z./@:#?-]{0,20}-\d$/),
)
const arn = fc
  .tuple(
    fc.constantFrom('aws', 'aws', 'aws-cn', 'aws-evil', 'evil.example', ''),
    fc.constantFrom('bedrock', 'bedrock', 'sagemaker', 'evil.example/'),
    region,
    fc.constantFrom('123456789012', '', '1', 'evil.example', '12345678901/'),
    fc.constantFrom('foundation-model', 'inference-profile', 'application-inference-profile', 'evil.example', ''),
    fc.oneof(fc.constantFrom('abc', good, '../../evil.example'), fc.string({ maxLength: 30, unit: 'binary' })),
  )
  .map(([partition, service, where, account, kind, name]) =>
    ['arn', partition, service, where, account, `${kind}/${name}`].join(':'),
  )
const name = fc.oneof(
  arn,
  region.map((text) => `${text}.anthropic.claude-sonnet-4-6`),
  region.map((text) => `us.anthropic.claude-sonnet-4-6${text}`),
  fc.constantFrom('sonnet', 'claude-sonnet-4-6[1m]', good, 'a'.repeat(5_000), '\ud800', '..', ';a.b'),
  // Words that every object has.
  fc.constantFrom('constructor', 'constructor.anthropic.claude-constructor-4', 'claude-constructor-4', '__proto__'),
  fc.string({ maxLength: 60, unit: 'binary' }),
)
const odd = fc.constantFrom<unknown>(undefined, null, 42, true, {}, [], ['evil.example'], { toString: () => 'x' })
const anyName = fc.oneof({ arbitrary: name, weight: 9 }, odd) as fc.Arbitrary<string>
const anyRegion = fc.oneof({ arbitrary: region, weight: 9 }, odd) as fc.Arbitrary<string>

/** A network that notes whom it was asked for, and lists what it is told to. */
function network(listed: { id: string; modelArn: string }) {
  const hosts: string[] = []
  const profile = {
    inferenceProfileId: listed.id,
    inferenceProfileArn: listed.modelArn,
    models: [{ modelArn: listed.modelArn }, { modelArn: `arn:aws:bedrock:::foundation-model/anthropic.claude-opus-9` }],
    status: 'ACTIVE',
    type: 'SYSTEM_DEFINED',
  }
  const send: typeof fetch = async (input) => {
    const { hostname, pathname } = new URL(String(input))
    hosts.push(hostname)
    if (hostname.startsWith('sts.')) return new Response('<Error/>', { status: 400 })
    if (pathname === '/inference-profiles') return Response.json({ inferenceProfileSummaries: [profile] })
    if (pathname.startsWith('/inference-profiles/')) return Response.json(profile)
    return Response.json({ type: 'message', content: [], inputTokens: 1 })
  }
  return { hosts, send }
}

type Case = { model: string; where: string; fetch: typeof fetch }
const client = ({ fetch }: Case, options: object = {}) =>
  createBedrockClient({ region: 'us-east-1', credentials: keys, retry: false, ...options, fetch })
const core = ({ fetch }: Case, options: object = {}) =>
  createCoreClient({ region: 'us-east-1', credentials: keys, retry: false, ...options, fetch })
const ref = ({ model, where }: Case) => ({ id: model, base: model, region: where, source: 'explicit' as const })
const selected = { CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'us-east-1' }
const roleArn = 'arn:aws:iam::123456789012:role/r'

const methods: Record<string, (given: Case) => unknown> = {
  'messages.create': (c) => client(c).messages.create({ ...question, model: c.model }),
  'messages.stream': (c) =>
    client(c)
      .messages.stream({ ...question, model: c.model })
      .finalMessage(),
  'messages.countTokens': (c) => client(c).messages.countTokens({ ...question, model: c.model }),
  invoke: (c) => client(c).invoke({ model: c.model, body }),
  invokeStream: (c) => client(c).invokeStream({ model: c.model, body }),
  'models.resolve': (c) => client(c, { models: { discovery: true } }).models.resolve(c.model),
  'models.explain': (c) => client(c, { models: { discovery: true } }).models.explain(c.model),
  'a ModelRef': (c) => client(c).messages.create({ ...question, model: ref(c) as never }),
  'CountTokens of a ModelRef': (c) => client(c).messages.countTokens({ ...question, model: ref(c) as never }),
  'a custom resolver': (c) =>
    client(c, { models: { resolve: () => ref(c) } }).messages.create({ ...question, model: 'x' }),
  'a resolver that gives anything': (c) =>
    client(c, { models: { resolve: () => c.model } }).messages.create({ ...question, model: 'x' }),
  "a middleware's ModelRef": (c) =>
    client(c, { middleware: [(request: object, next: (r: object) => unknown) => next({ ...request, model: ref(c) })] })
      // Any model will do: the middleware puts another in its place.
      .messages.create({ ...question, model: good }),
  "a middleware's name": (c) =>
    client(c, {
      middleware: [(request: object, next: (r: object) => unknown) => next({ ...request, model: c.model })],
    }).messages.create({ ...question, model: good }),
  "a middleware's fetch": (c) =>
    client(c, {
      middleware: [
        (_: object, __: unknown, context: ReturnType<typeof client>) => context.fetch('/x', { region: c.where }),
      ],
    }).messages.create({ ...question, model: good }),
  'bedrock.fetch': (c) => client(c).fetch('/inference-profiles', { region: c.where }),
  "the client's Region": (c) => client(c, { region: c.where }).messages.create({ ...question, model: 'sonnet' }),
  AWS_REGION: (c) => {
    vi.stubEnv('AWS_REGION', String(c.where))
    return client(c, { region: undefined }).messages.create({ ...question, model: 'sonnet' })
  },
  aliases: (c) => client(c, { models: { aliases: { mine: c.model } } }).messages.create({ ...question, model: 'mine' }),
  pins: (c) => client(c, { models: { pins: { opus: c.model } } }).messages.create({ ...question, model: 'opus' }),
  overrides: (c) =>
    client(c, { models: { overrides: { 'claude-opus-4-6': c.model } } }).messages.create({
      ...question,
      model: 'opus',
    }),
  profiles: (c) =>
    client(c, { models: { profiles: { [goodArn]: c.model } } }).messages.create({ ...question, model: goodArn }),
  "profiles' keys": (c) =>
    client(c, { models: { profiles: { [c.model]: good } } }).messages.create({ ...question, model: c.model }),
  smallModelRegion: (c) =>
    client(c, { models: { smallModelRegion: c.where } }).messages.create({ ...question, model: 'haiku' }),
  'what discovery lists': (c) =>
    client(c, { models: { discovery: true } }).messages.create({ ...question, model: 'sonnet' }),
  'what discovery looks up': (c) =>
    client(c, { models: { discovery: true } }).messages.create({ ...question, model: goodArn }),
  'discovery as a fallback': (c) =>
    client(c, { models: { discovery: 'fallback' } }).messages.create({ ...question, model: c.model }),
  "the settings' model": (c) =>
    client(c, toClientOptions(settingsFromEnvironment({ ...selected, ANTHROPIC_MODEL: c.model })))
      // Claude Code's settings choose the model.
      .messages.create({ ...question, model: 'default' }),
  "the settings' Region": (c) =>
    client(c, toClientOptions(settingsFromEnvironment({ ...selected, AWS_REGION: c.where }))).messages.create({
      ...question,
      model: good,
    }),
  "the settings' Region of the small model": (c) =>
    client(
      c,
      toClientOptions(settingsFromEnvironment({ ...selected, ANTHROPIC_SMALL_FAST_MODEL_AWS_REGION: c.where })),
    ).messages.create({ ...question, model: 'small' }),
  "Anthropic's API in front of a client": (c) =>
    anthropicFetch(client(c))('https://api.anthropic.com/v1/messages', {
      method: 'POST',
      body: JSON.stringify({ ...question, model: c.model }),
    }),
  autoProfile: (c) =>
    client(c, { models: { autoProfile: true, discovery: true } }).messages.create({ ...question, model: c.model }),
  'outcrop/core': (c) => core(c).messages.create({ ...question, model: c.model }),
  'outcrop/core, a ModelRef': (c) => core(c).invoke({ model: ref(c) as never, body }),
  'outcrop/core, counting': (c) => core(c).messages.countTokens({ ...question, model: c.model }),
  'outcrop/core, its region': (c) => core(c, { region: c.where }).messages.create({ ...question, model: good }),
  'STS, AssumeRole': (c) => fromAssumeRole({ credentials: keys, roleArn, region: c.where })({ fetch: c.fetch }),
  "STS, by the client's Region": (c) =>
    fromAssumeRole({ credentials: keys, roleArn })({ fetch: c.fetch, region: c.where }),
  'STS, a web identity': (c) =>
    fromWebIdentity({ token: () => 'token-example', roleArn, region: c.where })({ fetch: c.fetch }),
  'STS, GetCallerIdentity': (c) => getCallerIdentity(keys, c.where, { fetch: c.fetch }),
}

describe(`no request leaves for a host that is not AWS's (FUZZ_SEED=${seed})`, () => {
  test.each(Object.keys(methods))('%s', async (method) => {
    await fc.assert(
      fc.asyncProperty(anyName, anyRegion, name, arn, async (model, where, id, modelArn) => {
        const { hosts, send } = network({ id, modelArn })
        try {
          await methods[method]?.({ model, where, fetch: send })
        } catch (error) {
          // An invalid Region is reported as invalid, and nothing is thrown raw.
          expect(isBedrockError(error), String((error as Error).stack)).toBe(true)
        }
        expect(hosts.filter((host) => !isOfAws(host))).toEqual([])
      }),
      { seed, numRuns: 100 },
    )
  })

  test.each(['evil.example', 'us-east-1.evil.example/', 'us-east-1@evil.example'])(
    'rejects the Region of an AWS profile: %s',
    async (where) => {
      const directory = await mkdtemp(join(tmpdir(), 'outcrop-'))
      const config = join(directory, 'config')
      await writeFile(config, `[default]\nregion = ${where}\n`)
      const { hosts, send } = network({ id: good, modelArn: goodArn })
      const env = { AWS_CONFIG_FILE: config, AWS_SHARED_CREDENTIALS_FILE: join(directory, 'none') }
      try {
        await expect(
          createBedrockClient({ env, credentials: keys, fetch: send }).messages.create({ ...question, model: good }),
        ).rejects.toMatchObject({ code: 'configuration', message: expect.stringContaining('Not an AWS Region') })
        expect(hosts).toEqual([])
      } finally {
        await rm(directory, { recursive: true })
      }
    },
  )

  test('rejects the ARN of the report', async () => {
    for (const method of ['messages.create', 'messages.stream', 'invoke', 'outcrop/core'])
      for (const model of [
        'arn:aws:bedrock:evil.example/:123456789012:application-inference-profile/abc',
        'arn:aws:bedrock:us-east-1.evil.example#:123456789012:application-inference-profile/abc',
      ]) {
        const { hosts, send } = network({ id: good, modelArn: goodArn })
        await expect(methods[method]?.({ model, where: 'us-east-1', fetch: send })).rejects.toMatchObject({
          code: 'model_resolution',
          hint: expect.stringMatching(/ARN|arn:aws:bedrock/),
        })
        expect(hosts).toEqual([])
      }
  })
})
