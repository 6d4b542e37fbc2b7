import { Agent } from 'node:http'
import * as outcrop from 'outcrop'
import * as core from 'outcrop/core'
import { explainCaching } from 'outcrop/caching'
import { createBedrockApiKey, fromBearerToken } from 'outcrop/credentials'
import { fromNodeProviderChain } from 'outcrop/credentials/node'
import * as gateway from 'outcrop/gateway/node'
import { createModelResolver } from 'outcrop/models'
import { createNodeFetch } from 'outcrop/node'
import { createFakeBedrock } from 'outcrop/testing'
import { runTools, tool } from 'outcrop/tools'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { check, compile, findCodeBlocks } from './code-blocks.ts'

const blocks = findCodeBlocks()

test('every code block of the README and the docs compiles', { timeout: 120_000 }, () => {
  expect(blocks.length).toBeGreaterThan(60)
  expect(check(blocks.filter(({ exemption }) => exemption !== 'not compiled'))).toEqual([])
})

describe('code blocks run against the fake', () => {
  const guardrail = { identifier: 'gr1abc2def3g', versions: ['1'], blockedWords: ['forbidden'] }
  const fake = createFakeBedrock({ guardrails: [guardrail] })
  const connected = { region: fake.region, credentials: fake.identity, fetch: fake.fetch, retry: false } as const
  const createBedrockClient: typeof outcrop.createBedrockClient = (options) =>
    outcrop.createBedrockClient({ ...options, ...connected })
  const createCoreClient: typeof core.createBedrockClient = (options) =>
    core.createBedrockClient({ ...options, ...connected })
  // The port of the block may be taken.
  const servers: gateway.GatewayServer[] = []
  const serveGateway: typeof gateway.serveGateway = async (served, options) => {
    const server = await gateway.serveGateway(served, { ...options, port: 0 })
    servers.push(server)
    return server
  }
  const replaced: Readonly<Record<string, object>> = {
    outcrop: { ...outcrop, createBedrockClient },
    'node:fs': { readFileSync: () => '' },
    'node:fs/promises': { readFile: async () => 'aGk=' },
    'outcrop/gateway/node': { ...gateway, serveGateway },
    'outcrop/core': { ...core, createBedrockClient: createCoreClient },
  }

  const variables = {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/example',
    AWS_WEB_IDENTITY_TOKEN_FILE: '/nowhere/token',
    CLAUDE_CODE_USE_BEDROCK: '1',
    HOME: '/nowhere',
  }

  beforeEach(() => {
    fake.reset()
    const messages = [{ role: 'user' as const, content: 'What is an outcrop?' }]
    const identity = { ...fake.identity, sessionToken: undefined }
    const globals = {
      bedrock: createBedrockClient(),
      params: { model: 'sonnet', max_tokens: 100, messages },
      messages,
      body: { messages, max_tokens: 100 },
      text: 'Number 7, 12 in all',
      error: undefined,
      models: createModelResolver(),
      weather: tool({ name: 'weather', inputSchema: z.object({}), run: () => 'Sunny' }),
      identifier: 'gr1abc2def3g',
      base: 'anthropic.claude-sonnet-4-6',
      ...identity,
      token: 'example-of-an-api-key',
      provider: async () => identity,
      credentials: identity,
      vault: { read: async () => ({ id: '', secret: '', token: '', expires: '2030-01-01' }) },
      fake,
      server: { url: 'http://127.0.0.1:1' },
      app: { post: () => {} },
      log: () => {},
      later: () => {},
      partly: () => {},
      document: { body: { append: () => {} } },
      // A page's own server answers as its own block would.
      fetch: async () =>
        createBedrockClient().messages.stream({ model: 'sonnet', max_tokens: 9, messages }).toResponse(),
      createBedrockClient,
      isBedrockError: outcrop.isBedrockError,
      explainCaching,
      fromNodeProviderChain,
      fromBearerToken,
      createBedrockApiKey,
      createNodeFetch,
      runTools,
      ProxyAgent: Agent,
    }
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
    for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value)
    for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) vi.spyOn(console, method).mockReturnValue()
    for (const stream of [process.stdout, process.stderr]) vi.spyOn(stream, 'write').mockReturnValue(true)
  })
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()))
    vi.unstubAllGlobals()
    vi.unstubAllEnvs()
    vi.restoreAllMocks()
  })

  test.each(blocks.filter(({ exemption }) => !exemption).map((block) => [block.place, block] as const))(
    '%s',
    async (_, { code }) => {
      await compile(code)((specifier) => Promise.resolve(replaced[specifier] ?? import(specifier)))
    },
  )
})
