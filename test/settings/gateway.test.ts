import { existsSync, readFileSync } from 'node:fs'
import { type BedrockClientOptions, createBedrockClient } from 'outcrop'
import { settingsFromEnvironment, toClientOptions } from 'outcrop/settings'
import { loadClientOptions } from 'outcrop/settings/node'
import { describe, expect, test } from 'vitest'
import { everythingOf, rejectionOf } from '../credentials/support.ts'
import { useFolder } from './support.ts'

const { path, write, places } = useFolder()
const selected = {
  PATH: process.env.PATH,
  CLAUDE_CODE_USE_BEDROCK: '1',
  AWS_REGION: 'us-east-1',
  ANTHROPIC_BEDROCK_BASE_URL: 'https://gateway.example.com/bedrock',
  CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1',
}
const load = (variables: Record<string, string> = {}): Promise<BedrockClientOptions> =>
  loadClientOptions({
    ...places(),
    env: { ...selected, ...variables },
  })
/** A helper that prints a new token at each run. */
const helper = (print = '"token-example-" + runs.length / 4'): string =>
  `"${process.execPath}" "${write(
    'helper.mjs',
    `import { appendFileSync, readFileSync } from 'node:fs'
     appendFileSync(${JSON.stringify(path('runs'))}, 'run\\n')
     const runs = readFileSync(${JSON.stringify(path('runs'))}, 'utf8')
     console.log(${print})`,
  )}"`
const runs = (): number => (existsSync(path('runs')) ? readFileSync(path('runs'), 'utf8').length / 4 : 0)

/** A gateway that answers, or refuses a token. */
function gateway(refused?: string): { readonly authorizations: (string | null)[]; readonly fetch: typeof fetch } {
  const authorizations: (string | null)[] = []
  return {
    authorizations,
    fetch: async (input, init) => {
      const authorization = new Request(input, init).headers.get('authorization')
      authorizations.push(authorization)
      return authorization === refused
        ? Response.json({ error: 'who are you?' }, { status: 401 })
        : Response.json({ ok: true })
    },
  }
}
async function call(options: BedrockClientOptions, { fetch }: { fetch: typeof globalThis.fetch }): Promise<void> {
  await createBedrockClient({ ...options, fetch, retry: false }).invoke({ model: 'sonnet', body: {} })
}

describe("a gateway's bearer token, with CLAUDE_CODE_SKIP_BEDROCK_AUTH", () => {
  const all = {
    AWS_BEARER_TOKEN_BEDROCK: 'bedrock-key-example',
    ANTHROPIC_AUTH_TOKEN: 'auth-token-example',
    ANTHROPIC_CUSTOM_HEADERS: 'X-Team: blue\nAuthorization: Basic custom-example',
  }
  // Claude Code's order.
  test.each([
    ['AWS_BEARER_TOKEN_BEDROCK', all, 'Bearer bedrock-key-example'],
    ['ANTHROPIC_AUTH_TOKEN', { ...all, AWS_BEARER_TOKEN_BEDROCK: '' }, 'Bearer auth-token-example'],
    [
      'apiKeyHelper',
      { ...all, AWS_BEARER_TOKEN_BEDROCK: '', ANTHROPIC_AUTH_TOKEN: '', helper: '1' },
      'Bearer token-example-1',
    ],
    [
      'Authorization in the custom headers',
      { ...all, AWS_BEARER_TOKEN_BEDROCK: '', ANTHROPIC_AUTH_TOKEN: '' },
      'Basic custom-example',
    ],
    ['nothing', {}, null],
  ])('comes from %s', async (_, variables: Record<string, string>, expected) => {
    if (variables.helper) write('.claude/settings.json', { apiKeyHelper: helper() })
    const { authorizations, fetch } = gateway()
    await call(await load(variables), { fetch })
    expect(authorizations).toEqual([expected])
  })

  test('is never sent to Bedrock itself', async () => {
    const { authorizations, fetch } = gateway()
    const keys = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret-example' }
    await call(await load({ ...all, ...keys, ...unset, CLAUDE_CODE_SKIP_BEDROCK_AUTH: '' }), { fetch })
    expect(authorizations).toEqual([expect.stringContaining('AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/')])
  })
  const unset = { AWS_BEARER_TOKEN_BEDROCK: '', ANTHROPIC_CUSTOM_HEADERS: '' }

  test('comes from one run of apiKeyHelper for many calls, and from another after a 401', async () => {
    write('.claude/settings.json', { apiKeyHelper: helper() })
    const { authorizations, fetch } = gateway('Bearer token-example-2')
    const bedrock = createBedrockClient({ ...(await load()), fetch, retry: false })
    const invoke = (): Promise<unknown> => bedrock.invoke({ model: 'sonnet', body: {} })
    await Promise.all([invoke(), invoke(), invoke()])
    expect(runs()).toBe(1)
    const refusing = gateway('Bearer token-example-1')
    await bedrock.withOptions({ fetch: refusing.fetch }).invoke({ model: 'sonnet', body: {} })
    expect(refusing.authorizations).toEqual(['Bearer token-example-1', 'Bearer token-example-2'])
    expect(runs()).toBe(2)
    expect(authorizations).toEqual(Array(3).fill('Bearer token-example-1'))
  })

  test('is kept for CLAUDE_CODE_API_KEY_HELPER_TTL_MS', async () => {
    write('.claude/settings.json', { apiKeyHelper: helper() })
    const provider = (await load({ CLAUDE_CODE_API_KEY_HELPER_TTL_MS: '0' })).credentials as () => Promise<unknown>
    await provider()
    await provider()
    expect(runs()).toBe(2)
    await expect(load({ CLAUDE_CODE_API_KEY_HELPER_TTL_MS: 'soon' })).rejects.toThrow(/^CLAUDE_CODE_API_KEY_HELPER/)
  })

  test.each([
    ['invalid text', '"secret-example of two words"', /did not print a token/],
    ['nothing', '""', /did not print a token \(0 characters\)/],
    ['a failure', '(() => { console.error("password=secret-example"); process.exit(3) })()', /exit code 3/],
  ])('is a CredentialsError without the output if a helper prints %s', async (_, print, message) => {
    write('.claude/settings.json', { apiKeyHelper: `${helper(print)} --password secret-example` })
    const error = await rejectionOf(call(await load(), gateway()))
    expect(error).toMatchObject({ code: 'credentials', message: expect.stringMatching(message) })
    expect(everythingOf(error)).not.toContain('secret-example')
  })

  test('does not come from a helper of an untrusted project', async () => {
    write('project/.claude/settings.json', { apiKeyHelper: helper() })
    const { authorizations, fetch } = gateway()
    await call(await load(), { fetch })
    expect(authorizations).toEqual([null])
    expect(runs()).toBe(0)
  })

  test('does not come from a helper without Node', () => {
    const settings = {
      ...settingsFromEnvironment(selected),
      apiKeyHelper: { value: 'print-token', source: { kind: 'user' as const } },
    }
    expect(() => toClientOptions(settings)).toThrow(/apiKeyHelper in .* is a command, which needs Node/)
  })
})

describe('timeouts and retries as in Claude Code', () => {
  const optionsOf = (variables: Record<string, string>): BedrockClientOptions =>
    toClientOptions(settingsFromEnvironment({ ...selected, ...variables }))

  test.each<[string, Record<string, string>, object]>([
    ['nothing is set', {}, { response: 600_000, idle: 300_000 }],
    ['API_TIMEOUT_MS is set', { API_TIMEOUT_MS: '1000' }, { response: 1000, idle: 300_000 }],
    ['there is no idle timeout', { API_FORCE_IDLE_TIMEOUT: '0' }, { response: 600_000, idle: 0 }],
    ['the idle timeout is longer', { CLAUDE_STREAM_IDLE_TIMEOUT_MS: '400000' }, { response: 600_000, idle: 400_000 }],
    ['the idle timeout is too short', { CLAUDE_STREAM_IDLE_TIMEOUT_MS: '5' }, { response: 600_000, idle: 300_000 }],
    [
      'the watchdog is on',
      { API_FORCE_IDLE_TIMEOUT: '0', CLAUDE_ENABLE_STREAM_WATCHDOG: '1' },
      { response: 600_000, idle: 300_000 },
    ],
  ])('apply if %s', (_, variables, timeout) => expect(optionsOf(variables).timeout).toEqual(timeout))

  test('are 10 retries, or the configured number', () => {
    expect(optionsOf({}).retry).toEqual({ attempts: 11 })
    expect(optionsOf({ CLAUDE_CODE_MAX_RETRIES: '0' }).retry).toEqual({ attempts: 1 })
  })
})
