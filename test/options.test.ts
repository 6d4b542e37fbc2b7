import * as root from 'outcrop'
import * as anthropic from 'outcrop/anthropic'
import * as caching from 'outcrop/caching'
import * as compatibility from 'outcrop/compatibility'
import * as core from 'outcrop/core'
import * as credentials from 'outcrop/credentials'
import * as credentialsNode from 'outcrop/credentials/node'
import * as diagnostics from 'outcrop/diagnostics'
import * as eventStream from 'outcrop/event-stream'
import * as failover from 'outcrop/failover'
import * as gateway from 'outcrop/gateway'
import * as gatewayNode from 'outcrop/gateway/node'
import * as guardrails from 'outcrop/guardrails'
import * as limits from 'outcrop/limits'
import * as models from 'outcrop/models'
import * as node from 'outcrop/node'
import * as settings from 'outcrop/settings'
import * as settingsNode from 'outcrop/settings/node'
import * as sigv4 from 'outcrop/sigv4'
import * as telemetry from 'outcrop/telemetry'
import * as testing from 'outcrop/testing'
import * as testingMsw from 'outcrop/testing/msw'
import * as testingNode from 'outcrop/testing/node'
import * as tools from 'outcrop/tools'
import * as usage from 'outcrop/usage'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import manifest from '../package.json' with { type: 'json' }

const modules: Readonly<Record<string, object>> = {
  '.': root,
  './anthropic': anthropic,
  './caching': caching,
  './compatibility': compatibility,
  './core': core,
  './credentials': credentials,
  './credentials/node': credentialsNode,
  './diagnostics': diagnostics,
  './event-stream': eventStream,
  './failover': failover,
  './gateway': gateway,
  './gateway/node': gatewayNode,
  './guardrails': guardrails,
  './limits': limits,
  './models': models,
  './node': node,
  './settings': settings,
  './settings/node': settingsNode,
  './sigv4': sigv4,
  './telemetry': telemetry,
  './testing': testing,
  './testing/msw': testingMsw,
  './testing/node': testingNode,
  './tools': tools,
  './usage': usage,
}

const fake = testing.createFakeBedrock({ reply: 'Hi' })
const client = { region: fake.region, credentials: fake.identity, fetch: fake.fetch }
const bedrock = root.createBedrockClient(client)
const thin = core.createBedrockClient(client)
const told = bedrock.withOptions({ middleware: [telemetry.telemetry()] })
const store = caching.memoryStore()
const params = { model: 'sonnet', max_tokens: 10, messages: [{ role: 'user' as const, content: 'Hi' }] }
const identity = fake.identity
const roleArn = 'arn:aws:iam::123456789012:role/bedrock'
const provider = async () => identity
const guardrail = { identifier: 'gr1', version: 1 }
const policy = { region: 'us-east-1', account: '123456789012', models: ['us.anthropic.claude-sonnet-4-6'] }
const url = 'https://bedrock.us-east-1.amazonaws.com/'
const scope = { identity, region: 'us-east-1', service: 'bedrock' }
const run = () => ''

/** Options as plain JavaScript may give them. */
const wrong = (options: object): never => options as never

type Case = readonly [call: () => unknown, meant: string]

// A misspelled key for every set of options, and the intended name. The key is the subpath and the function, then the
// bag where it is not the function's own.
const bags: Readonly<Record<string, Case>> = {
  '. createBedrockClient': [() => root.createBedrockClient(wrong({ regoin: 'us-east-1' })), 'region'],
  '. createBedrockClient, models': [
    () => root.createBedrockClient(wrong({ models: { residencey: 'eu' } })),
    'residency',
  ],
  '. createBedrockClient, compatibility': [
    () => root.createBedrockClient(wrong({ compatibility: { polciy: 'strict' } })),
    'policy',
  ],
  '. createBedrockClient, endpoint': [
    () => root.createBedrockClient(wrong({ endpoint: { alowHttp: true } })),
    'allowHttp',
  ],
  '. createBedrockClient, retry': [() => root.createBedrockClient(wrong({ retry: { attemps: 2 } })), 'attempts'],
  '. createBedrockClient, timeout': [() => root.createBedrockClient(wrong({ timeout: { respose: 2 } })), 'response'],
  '. withOptions': [() => bedrock.withOptions(wrong({ loger: console })), 'logger'],
  '. messages.create': [() => bedrock.messages.create(params, wrong({ timout: { total: 1 } })), 'timeout'],
  '. messages.create, guardrail': [
    () => bedrock.messages.create(params, wrong({ guardrail: { ...guardrail, onIntervantion: 'throw' } })),
    'onIntervention',
  ],
  '. messages.create, retry': [() => bedrock.messages.create(params, wrong({ retry: { maxDeley: 1 } })), 'maxDelay'],
  '. messages.stream': [() => bedrock.messages.stream(params, wrong({ headrs: {} })).finalMessage(), 'headers'],
  '. messages.countTokens': [() => bedrock.messages.countTokens(params, wrong({ singal: null })), 'signal'],
  '. stream.toResponse': [() => bedrock.messages.stream(params).toResponse(wrong({ fromat: 'sse' })), 'format'],
  '. invoke': [() => bedrock.invoke(wrong({ model: 'sonnet', bodi: {} })), 'body'],
  '. invoke, options': [() => bedrock.invoke({ model: 'sonnet', body: {} }, wrong({ retries: 2 })), 'retry'],
  '. invokeStream': [() => bedrock.invokeStream(wrong({ modle: 'sonnet', body: {} })), 'model'],
  '. fetch': [() => bedrock.fetch('/inference-profiles', wrong({ methd: 'GET' })), 'method'],
  './core createBedrockClient': [() => core.createBedrockClient(wrong({ credentails: 'none' })), 'credentials'],
  './core withOptions': [() => thin.withOptions(wrong({ edpoint: url })), 'endpoint'],
  './sigv4 signRequest': [() => sigv4.signRequest(wrong({ url, bdy: 'x' }), scope), 'body'],
  './sigv4 signRequest, scope': [() => sigv4.signRequest({ url }, wrong({ ...scope, dat: new Date() })), 'date'],
  './sigv4 presignUrl': [() => sigv4.presignUrl(wrong({ url, expiresin: 1 }), scope), 'expiresIn'],
  './event-stream createEventStreamDecoder': [
    () => eventStream.createEventStreamDecoder(wrong({ maxMesageSize: 1 })),
    'maxMessageSize',
  ],
  './event-stream decodeEventStream': [
    () => eventStream.decodeEventStream(new Response('').body as ReadableStream, wrong({ maxHeaderSize: 1 })).next(),
    'maxHeadersSize',
  ],
  './event-stream encodeEventStreamMessage': [
    () => eventStream.encodeEventStreamMessage(wrong({ header: {}, payload: new Uint8Array() })),
    'headers',
  ],
  './credentials cached': [() => credentials.cached(provider, wrong({ lifetme: 1 })), 'lifetime'],
  './credentials createBedrockApiKey': [
    () => credentials.createBedrockApiKey(wrong({ credentials: identity, region: 'us-east-1', expiresin: 1 })),
    'expiresIn',
  ],
  './credentials explainCredentials': [() => credentials.explainCredentials(wrong({ regoin: 'eu-west-1' })), 'region'],
  './credentials fromAssumeRole': [
    () => credentials.fromAssumeRole(wrong({ credentials: identity, roleArn, externalID: 'x' })),
    'externalId',
  ],
  './credentials fromContainerMetadata': [() => credentials.fromContainerMetadata(wrong({ timout: 1 })), 'timeout'],
  './credentials fromWebIdentity': [
    () => credentials.fromWebIdentity(wrong({ roleArn, token: run, durration: 900 })),
    'duration',
  ],
  './credentials/node explainCredentials': [
    () => credentialsNode.explainCredentials(wrong({ credential: identity })),
    'credentials',
  ],
  './credentials/node fromCommand': [() => credentialsNode.fromCommand('true', wrong({ timeOut: 1 })), 'timeout'],
  './credentials/node fromNodeProviderChain': [
    () => credentialsNode.fromNodeProviderChain(wrong({ proflie: 'dev' })),
    'profile',
  ],
  './credentials/node withAuthRefresh': [
    () => credentialsNode.withAuthRefresh(provider, 'true', wrong({ coolDown: 1 })),
    'cooldown',
  ],
  './models createModelResolver': [() => models.createModelResolver(wrong({ alias: {} })), 'aliases'],
  './models discoverInferenceProfiles': [
    () => models.discoverInferenceProfiles(bedrock.fetch, wrong({ reigon: 'eu-west-1' })),
    'region',
  ],
  './models profileFor': [
    () => models.profileFor('anthropic.claude-sonnet-4-6', 'us-east-1', wrong({ residencey: 'eu' })),
    'residency',
  ],
  './caching explainCaching': [() => caching.explainCaching({}, 'sonnet', wrong({ breakpoint: 1 })), 'breakpoints'],
  './caching memoryStore': [() => caching.memoryStore(wrong({ maxByte: 1 })), 'maxBytes'],
  './caching promptCaching': [() => caching.promptCaching(wrong({ tll: '1h' })), 'ttl'],
  './caching responseCaching': [() => caching.responseCaching(wrong({ store, namspace: 'a' })), 'namespace'],
  './caching responseCaching, cache': [
    () =>
      root
        .createBedrockClient({ ...client, middleware: [caching.responseCaching({ store })] })
        .messages.create(params, wrong({ cache: { tll: 1 } })),
    'ttl',
  ],
  './gateway createGateway': [
    () => gateway.createGateway(bedrock, wrong({ authenticate: run, basepath: '/a' })),
    'basePath',
  ],
  './gateway apiKeys': [() => gateway.apiKeys(wrong([{ id: 'a', sha256: '0'.repeat(64), modls: [] }])), 'models'],
  './gateway memorySpendStore': [() => gateway.memorySpendStore(wrong({ clok: 1 })), 'clock'],
  './gateway redisSpendStore': [() => gateway.redisSpendStore(wrong({ eval: run }), wrong({ prefx: 'a' })), 'prefix'],
  './gateway upstashSpendStore': [
    () => gateway.upstashSpendStore(wrong({ eval: run }), wrong({ prefx: 'a' })),
    'prefix',
  ],
  './gateway/node keysFile': [() => gatewayNode.keysFile('keys.json', wrong({ clok: 1 })), 'clock'],
  './gateway/node serveGateway': [
    () => gatewayNode.serveGateway({ fetch: fake.fetch, drain: async () => {} }, wrong({ hst: 'a' })),
    'host',
  ],
  './guardrails applyGuardrail': [
    () =>
      guardrails.applyGuardrail(bedrock, wrong({ ...guardrail, source: 'INPUT', content: 'Hi', outputscope: 'FULL' })),
    'outputScope',
  ],
  './guardrails guardrails': [
    () => guardrails.guardrails(wrong({ ...guardrail, onIntervantion: 'throw' })),
    'onIntervention',
  ],
  './compatibility compatibility': [() => compatibility.compatibility(wrong({ polciy: 'strict' })), 'policy'],
  './anthropic anthropicFetch': [() => anthropic.anthropicFetch(bedrock, wrong({ maxBodysize: 1 })), 'maxBodySize'],
  './anthropic anthropicOptions': [
    () => anthropic.anthropicOptions(bedrock, wrong({ estimateToken: true })),
    'estimateTokens',
  ],
  './anthropic toEventStream': [
    () => anthropic.toEventStream(bedrock.messages.stream(params), wrong({ pingIntervall: 1 })),
    'pingInterval',
  ],
  './usage costOf': [() => usage.costOf({}, wrong({ input: 3, output: 15, cacheReed: 1 })), 'cacheRead'],
  './tools outputFormat': [() => tools.outputFormat(z.object({}), wrong({ jsonschema: {} })), 'jsonSchema'],
  './tools parse': [
    () => tools.parse(bedrock, { ...params, output_config: { format: z.object({}) } }, wrong({ timout: { total: 1 } })),
    'timeout',
  ],
  './tools runTools': [
    () => tools.runTools(bedrock, { ...params, tools: [] }, wrong({ timout: { total: 1 } })).finalMessage(),
    'timeout',
  ],
  './tools runTools, limits': [
    () => tools.runTools(bedrock, { ...params, tools: [], limits: wrong({ turn: 1 }) }),
    'turns',
  ],
  './tools tool': [() => tools.tool(wrong({ name: 'a', inputSchma: z.object({}), run })), 'inputSchema'],
  './settings/node clientOptionsOf': [
    () => settingsNode.clientOptionsOf({ env: {} }, wrong({ onOuput: run })),
    'onOutput',
  ],
  './settings/node loadClientOptions': [
    () => settingsNode.loadClientOptions(wrong({ trustproject: true })),
    'trustProject',
  ],
  './settings/node loadSettings': [() => settingsNode.loadSettings(wrong({ settingFile: 'a.json' })), 'settingsFile'],
  './limits readQuotas': [() => limits.readQuotas(bedrock, wrong({ regon: 'us-east-1' })), 'region'],
  './limits redisLimitStore': [() => limits.redisLimitStore(wrong({ evalSha: run }), wrong({ prefx: 'a' })), 'prefix'],
  './limits upstashLimitStore': [
    () => limits.upstashLimitStore(wrong({ evalsha: run, eval: run }), wrong({ prefx: 'a' })),
    'prefix',
  ],
  './limits limits': [() => limits.limits(wrong({ quota: [] })), 'quotas'],
  './diagnostics getCallerIdentity': [
    () => diagnostics.getCallerIdentity(identity, 'us-east-1', wrong({ fech: fake.fetch })),
    'fetch',
  ],
  './diagnostics iamDestinations': [() => diagnostics.iamDestinations(wrong({ ...policy, profile: [] })), 'profiles'],
  './diagnostics iamPolicy': [() => diagnostics.iamPolicy(wrong({ ...policy, feature: ['count'] })), 'features'],
  './diagnostics iamPolicy, guardrail': [
    () => diagnostics.iamPolicy({ ...policy, guardrail: wrong({ identifier: 'gr1', verson: '1' }) }),
    'version',
  ],
  './diagnostics runDoctor': [() => diagnostics.runDoctor(wrong({ client: bedrock, invok: true })).next(), 'invoke'],
  './diagnostics runGatewayDoctor': [
    () => diagnostics.runGatewayDoctor(wrong({ url: 'http://localhost', invok: true })).next(),
    'invoke',
  ],
  './node createNodeFetch': [() => node.createNodeFetch(wrong({ socketpath: '/run/a' })), 'socketPath'],
  './testing createFakeBedrock': [() => testing.createFakeBedrock(wrong({ replay: 'Hi' })), 'reply'],
  './testing createFakeBedrock, models': [
    () => testing.createFakeBedrock(wrong({ models: { useCaseFrom: false } })),
    'useCaseForm',
  ],
  './failover failover': [() => failover.failover(['haiku'], wrong({ cooldwon: 1 })), 'cooldown'],
  './failover failover, target': [() => failover.failover([wrong({ modle: 'haiku' })]), 'model'],
  './failover failover, options of a target': [
    () => failover.failover([{ model: 'haiku', options: wrong({ timout: {} }) }]),
    'timeout',
  ],
  './testing createFakeBedrock, quotas': [
    () => testing.createFakeBedrock(wrong({ quotas: [{ model: 'a', tokensPerMinutes: 1 }] })),
    'tokensPerMinute',
  ],
  './testing createFakeBedrock, guardrails': [
    () => testing.createFakeBedrock(wrong({ guardrails: [{ identifier: 'gr1', versions: [], blockedWord: [] }] })),
    'blockedWords',
  ],
  './telemetry telemetry': [() => telemetry.telemetry(wrong({ trcer: false })), 'tracer'],
  './telemetry telemetry, content': [() => telemetry.telemetry({ content: wrong({ maxByte: 1 }) }), 'maxBytes'],
  './telemetry telemetry, of a call': [
    () => told.messages.create(params, { telemetry: wrong({ conversationID: 'c' }) }),
    'conversationId',
  ],
  './testing fail': [() => fake.fail('throttling', wrong({ time: 2 })), 'times'],
  './testing/node serveFakeBedrock': [() => testingNode.serveFakeBedrock(fake, wrong({ prt: 0 })), 'port'],
}

// Functions without options, and the reason if a parameter looks like options.
const others: Readonly<Record<string, string>> = {
  '.': 'isBedrockError readMessageStream',
  './core': 'isBedrockError readMessageStream',
  './credentials': 'chain describeBedrockApiKey fromBearerToken fromEnvironment fromStatic',
  './credentials/node': 'readTokenFile',
  './gateway': 'createApiKey hashApiKey',
  // A parsed ID is what `parseModelId` gives.
  './models': 'destinationsOf formatModelId isFullModelId parseModelId',
  // A store's own object.
  './caching': 'unstorageStore webCacheStore',
  // A resolved model fits, or what there is of one.
  './compatibility': 'adaptBody estimateTokens',
  // A store keeps what it is given; so does a client of Redis.
  './limits': 'bucketOf burndownOf memoryLimitStore',
  './usage': 'requestHeaders usageTracking',
  // Settings are what `loadSettings` and `settingsFromEnvironment` give.
  './settings': 'explainSettings mergeSettings settingsFromEnvironment settingsFromFile toClientOptions',
  './diagnostics': 'isHealthy toTerraform',
  './testing': 'limitStoreContract responseStoreContract',
  './testing/msw': 'bedrockHandlers',
}

describe('an unknown option is rejected with the nearest name, before anything is sent', () => {
  test.each(Object.entries(bags))('%s', async (name, [call, meant]) => {
    // The protocol pieces are small, and list what there is.
    const isProtocol = /^\.\/(sigv4|event-stream) /.test(name)
    fake.reset()
    await expect((async () => call())()).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('Unknown option'),
      hint: isProtocol ? expect.stringMatching(`Known options: .*\\b${meant}\\b`) : `Did you mean ${meant}?`,
    })
    expect(fake.calls).toEqual([])
  })

  test('lists the known options if no name is near', () => {
    expect(() => caching.memoryStore(wrong({ colour: 1 }))).toThrow(
      expect.objectContaining({ hint: 'Known options: maxBytes, clock.' }),
    )
  })

  test("names the equivalent of another SDK's option", () => {
    const make = (options: object) => () => root.createBedrockClient(wrong(options))
    expect(make({ maxRetries: 2 })).toThrow(expect.objectContaining({ hint: 'Did you mean retry: { attempts }?' }))
    expect(make({ apiKey: 'x' })).toThrow(expect.objectContaining({ hint: 'Did you mean credentials: { token }?' }))
    expect(() => node.createNodeFetch(wrong({ apiKey: 'x' }))).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('Known options: proxy, env, ca') }),
    )
  })
})

describe('the list above is complete', () => {
  test('with every subpath', () => {
    const subpaths = Object.keys(manifest.exports).filter((path) => path !== './package.json')
    expect(Object.keys(modules).sort()).toEqual(subpaths.sort())
  })

  test.each(Object.entries(modules))('%s', (path, module) => {
    const isClass = (name: string): boolean => /^[A-Z]/.test(name)
    const functions = Object.entries(module).flatMap(([name, value]) =>
      typeof value === 'function' && !isClass(name) ? [name] : [],
    )
    const listed = Object.keys(bags).flatMap((key) => {
      const [subpath, name] = key.replace(/,.*/, '').split(' ')
      return subpath === path && name !== undefined && name in module ? [name] : []
    })
    expect([...new Set([...listed, ...(others[path]?.split(' ') ?? [])])].sort()).toEqual(functions.sort())
  })
})
