import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { type BedrockClientOptions, createBedrockClient, isBedrockError } from 'outcrop'
import { explainSettings, settingsFromEnvironment, settingsFromFile, toClientOptions } from 'outcrop/settings'
import { loadClientOptions, type LoadClientOptionsOptions, loadSettings } from 'outcrop/settings/node'
import { describe, expect, test } from 'vitest'
import { everythingOf, rejectionOf } from '../credentials/support.ts'
import { useFolder } from './support.ts'

const keyVariables = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret-example-of-the-settings' }
const variables = { CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'us-east-1', ...keyVariables }

const { path, write, places: folders } = useFolder()
const places = (): LoadClientOptionsOptions => ({
  ...folders(),
  env: variables,
})
const load = (): Promise<BedrockClientOptions> => loadClientOptions(places())

describe('paths that are not files', () => {
  test.each([
    ['a FIFO', (file: string) => execFileSync('mkfifo', [file]), 'it is not a regular file'],
    ['/dev/zero', (file: string) => symlinkSync('/dev/zero', file), 'it is not a regular file'],
    ['a folder', (file: string) => mkdirSync(file), 'it is not a regular file'],
    ['a huge file', (file: string) => writeFileSync(file, ' '.repeat(1_048_577)), 'it is larger than 1048576 bytes'],
  ])('%s as a settings file is an error that names it', async (_, make, reason) => {
    mkdirSync(path('project/.claude'), { recursive: true })
    const file = path('project/.claude/settings.json')
    make(file)
    await expect(load()).rejects.toMatchObject({
      code: 'configuration',
      message: `${file} cannot be read: ${reason}`,
    })
  })
})

describe('content of settings files', () => {
  test('with a million brackets causes no stack overflow', async () => {
    for (const text of ['['.repeat(1_000_000), `{"env":${'{"a":'.repeat(150_000)}1${'}'.repeat(150_001)}`]) {
      write('.claude/settings.json', text)
      await expect(load()).rejects.toMatchObject({ code: 'configuration' })
    }
  })

  test('may use __proto__, constructor and toString as names', async () => {
    const named = '{ "__proto__": "p", "constructor": "c", "toString": "s", "hasOwnProperty": "h" }'
    write('.claude/settings.json', `{ "__proto__": { "model": "opus" }, "env": ${named}, "modelOverrides": ${named} }`)
    write('project/.claude/settings.json', `{ "modelOverrides": ${named} }`)
    write('managed/managed-settings.json', `{ "env": ${named} }`)
    const settings = await loadSettings(places())
    expect(settings.model).toBeUndefined()
    expect(Object.getPrototypeOf(settings.env)).toBe(Object.prototype)
    expect(Object.keys(settings.env)).toEqual(expect.arrayContaining(['__proto__', 'constructor', 'toString']))
    expect(Object.getOwnPropertyDescriptor(settings.env, 'constructor')?.value).toMatchObject({
      value: 'c',
      overrode: [{ value: 'c', source: { kind: 'user' } }],
    })
    expect(Object.keys(settings.modelOverrides?.value ?? {})).toContain('__proto__')
    expect(() => String(explainSettings(settings))).not.toThrow()
    expect({}).not.toHaveProperty('model')
    // None of the targets is a model: only the calls that use one are refused.
    const bedrock = createBedrockClient({ ...toClientOptions(settings), region: 'us-east-1' })
    for (const name of ['__proto__', 'constructor', 'toString'])
      await expect(bedrock.models.resolve(name)).rejects.toMatchObject({ code: 'model_resolution' })
  })

  test.each([
    ['a NUL in a command', { awsAuthRefresh: 'login\0' }],
    ['a NUL in a variable', { env: { AWS_PROFILE: 'a\0' } }],
    ['a variable name with =', { env: { 'A=B': '1' } }],
    ['a model with a line break', { model: 'sonnet\nX-Header: 1' }],
    ['a model longer than Bedrock accepts', { model: 'm'.repeat(2049) }],
    ['an override with a line break', { modelOverrides: { 'claude-opus-4-6': 'a\r\nb' } }],
    ['a thousand and one models', { availableModels: Array.from({ length: 1001 }, (_, i) => `claude-${i}`) }],
  ])('is rejected with %s', async (_, document) => {
    write('.claude/settings.json', JSON.stringify(document))
    const error = await rejectionOf(load())
    expect(error).toMatchObject({ code: 'configuration', message: expect.stringContaining('settings.json (user)') })
  })

  test('prints no control characters', async () => {
    const hostile = '\u001b[2J\u0007\u202e'
    write('project/.claude/settings.json', JSON.stringify({ availableModels: ['sonnet'] }))
    write('.claude/settings.json', JSON.stringify({ env: { AWS_PROFILE: hostile } }))
    const shown = String(explainSettings(await loadSettings(places())))
    write('project/.claude/settings.json', JSON.stringify({ modelOverrides: { [hostile]: 1 } }))
    const { message } = (await rejectionOf(load())) as Error
    for (const text of [shown, message]) expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f\u202e]/)
    expect(shown).toContain('\\u001b[2J')
  })

  test("may include objects in the environment, such as a Worker's bindings", () => {
    const bindings = { ...variables, CACHE: { get: () => 'x' }, COUNT: 3 } as unknown as Record<string, string>
    expect(toClientOptions(settingsFromEnvironment(bindings)).region).toBe('us-east-1')
  })
})

// Each run tries other inputs. To repeat one: FUZZ_SEED=… npx vitest run test/settings/hostile.test.ts
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)
const parameters = { seed, numRuns: 150 }
const minutes = { timeout: 120_000 }

describe('fuzz', minutes, () => {
  console.info(`settings: fuzz seed ${seed}`)

  const region = fc.constantFrom('us-east-1', 'us-gov-west-1', 'evil.example/', 'evil.example#', 'x@evil.example:1', '')
  const resource = fc.constantFrom(
    'application-inference-profile/abc',
    'inference-profile/us.x',
    'prompt-router/../x',
    '',
  )
  const arn = fc
    .tuple(
      fc.constantFrom('aws', 'aws-cn', 'evil', '@evil.example'),
      region,
      fc.constantFrom('123456789012', ''),
      resource,
    )
    .map(([partition, region, account, resource]) => `arn:${partition}:bedrock:${region}:${account}:${resource}`)
  const hostileText = fc.oneof(
    fc.constantFrom('sonnet', 'opus', 'default', 'opusplan', 'evil.example', '//evil.example', '../../x', '__proto__'),
    fc.constantFrom('us.anthropic.claude-sonnet-4-6', 'evil.example/.anthropic.claude-x-1-v1:0', 'X: 1\r\nHost: evil'),
    arn,
    fc.string({ unit: 'binary', maxLength: 60 }),
  )
  const key = fc.oneof(fc.constantFrom('claude-opus-4-6', '__proto__', 'constructor', 'sonnet'), hostileText)
  const anything = fc.jsonValue({ maxDepth: 3 })
  const entry = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<unknown> => fc.oneof(value, value, anything)
  const variable = fc.oneof(
    fc.constantFrom('ANTHROPIC_CUSTOM_HEADERS', 'ANTHROPIC_BEDROCK_BASE_URL', 'AWS_ENDPOINT_URL', 'AWS_PROFILE'),
    fc.constantFrom('AWS_REGION', 'ANTHROPIC_MODEL', 'ANTHROPIC_BETAS', 'API_TIMEOUT_MS', 'CLAUDE_CODE_MAX_RETRIES'),
    fc.constantFrom('AWS_BEARER_TOKEN_BEDROCK', 'ANTHROPIC_DEFAULT_OPUS_MODEL', 'ANTHROPIC_BEDROCK_REGION_PREFIX'),
    key,
  )
  const document = fc.record(
    {
      model: entry(hostileText),
      modelOverrides: entry(fc.dictionary(key, hostileText, { maxKeys: 4 })),
      availableModels: entry(fc.array(hostileText, { maxLength: 4 })),
      awsAuthRefresh: entry(hostileText),
      awsCredentialExport: entry(hostileText),
      env: entry(fc.dictionary(variable, fc.oneof(hostileText, fc.constantFrom('1', 'us', '250')), { maxKeys: 5 })),
      __proto__: anything,
    },
    { requiredKeys: [] },
  )

  /** Where the calls of a client go, and with what. Nothing leaves the test. */
  async function requestsOf(options: BedrockClientOptions): Promise<Request[]> {
    const requests: Request[] = []
    const bedrock = createBedrockClient({
      ...options,
      retry: false,
      fetch: async (input, init) => {
        requests.push(new Request(input, init))
        return Response.json({ message: 'no' }, { status: 400 })
      },
    })
    for (const model of ['default', 'small', 'opus', 'claude-opus-4-6', 'constructor']) {
      const call = bedrock.messages.create({ model, max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] })
      await call.catch((error) => {
        if (!isBedrockError(error)) throw error
      })
    }
    return requests
  }

  async function typed<T>(run: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await run()
    } catch (error) {
      if (isBedrockError(error)) return undefined
      throw error
    }
  }

  test('any settings file becomes options, or an error of this package', async () => {
    await fc.assert(
      fc.asyncProperty(document, fc.boolean(), async (document, isTrusted) => {
        await typed(() => {
          const source = { kind: 'user', path: '/home/me/.claude/settings.json' } as const
          const settings = settingsFromFile(JSON.parse(JSON.stringify(document)), source, isTrusted)
          String(explainSettings(settings))
          createBedrockClient(toClientOptions({ ...settings, env: { ...settings.env, ...selected } }))
        })
      }),
      parameters,
    )
  })

  test('any bytes become options, or an error of this package', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      document.map((document) => new TextEncoder().encode(JSON.stringify(document).slice(0, -1))),
    )
    await fc.assert(
      fc.asyncProperty(bytes, async (bytes) => {
        write('.claude/settings.json', bytes)
        const error = await load().catch((error) => error)
        if (error instanceof Error && !isBedrockError(error)) throw error
      }),
      { ...parameters, numRuns: 100 },
    )
  })

  test('an untrusted project sets no host, header, command or credential', async () => {
    await fc.assert(
      fc.asyncProperty(document, async (document) => {
        write('project/.claude/settings.json', JSON.stringify(document))
        const options = await load().catch(() => undefined)
        if (!options) return
        const { models: _, middleware: __, credentials, ...others } = options
        expect(others).toEqual({
          ...{
            region: 'us-east-1',
            headers: {},
            endpoint: undefined,
            env: { ...variables, HOME: path(), USERPROFILE: path() },
          },
          ...{ retry: { attempts: 11 }, timeout: { response: 600_000, idle: 300_000 } },
        })
        expect(await (credentials as () => Promise<unknown>)()).toMatchObject({ accessKeyId: 'AKIDEXAMPLE' })
        for (const request of (await typed(() => requestsOf(options))) ?? []) {
          expect(new URL(request.url).host).toMatch(/^bedrock(-runtime)?\.[a-z]+(-[a-z]+)+-\d\.amazonaws\.com(\.cn)?$/)
          const known = ['accept', 'authorization', 'content-type', 'x-amz-date']
          expect([...request.headers.keys()].filter((name) => !known.includes(name))).toEqual([])
          expect(everythingOf([...request.headers])).not.toMatch(/evil/i)
          expect(request.headers.get('authorization')).toContain('Credential=AKIDEXAMPLE/')
        }
      }),
      parameters,
    )
  })

  const source = { kind: 'environment' } as const
  const selected = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, { value, source }]))
})
