import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { createBedrockClient, type BedrockClientOptions, type Identity, isBedrockError } from 'outcrop'
import { cached, explainCredentials, fromAssumeRole, fromContainerMetadata, fromWebIdentity } from 'outcrop/credentials'
import { fromCommand, withAuthRefresh } from 'outcrop/credentials/node'
import { runDoctor } from 'outcrop/diagnostics'
import { explainSettings } from 'outcrop/settings'
import { clientOptionsOf, loadSettings } from 'outcrop/settings/node'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { doctor } from '../src/cli/doctor.ts'
import { init } from '../src/cli/init.ts'
import type { Terminal } from '../src/cli/terminal.ts'
import { createLogger } from '../src/core/internal/logger.ts'
import { redact } from '../src/core/internal/redact.ts'
import { networkError as webNetworkError } from '../src/core/platform/web.ts'
import { encodeChunk, encodeException, encodeFrame, toBase64 } from '../src/testing/frames.ts'
import { faults } from '../src/testing/faults.ts'
import { createTestClock, setEnvironment } from './credentials/support.ts'

// Recognisable, of no known shape, and with the characters that encodings change. `Zq9` is in no other word of a test.
const secretAccessKey = 'Zq9secret+key/of=the-example~no1'
const sessionToken = 'Zq9session/token+of==the-example/no2'
const token = 'Zq9api-key+of/the=example'
const headerSecret = 'Zq9gateway/header+value='
const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey, sessionToken }
const mark = /Zq9|WnE5|pxO|acT/

// Of the shape of a secret, for where nobody knows its value.
const shaped = {
  'a short-term API key': `bedrock-api-key-${'YmVkcm9jay5h'.repeat(4)}`,
  'a long-term API key': `ABSK${'QmVkcm9ja0FQSUtleS1l'.repeat(2)}`,
  'a session token': `IQoJb3JpZ2luX2Vj${'ZXhhbXBsZQ'.repeat(6)}`,
  'a secret access key': 'wJalrXUtnFEMIexampleK7MDENGbPxRfiCYzEX40',
  'a JSON Web Token': `eyJhbGciOiJub25lIn0.${'eyJzdWIiOiJtZSJ9'.repeat(2)}.c2lnbmF0dXJl`,
  'the user of a URL': 'me:hunter-of-two',
} as const

const params = { model: 'sonnet', max_tokens: 1, messages: [{ role: 'user' as const, content: 'Hi' }] }

let restore: () => void
let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'outcrop-'))
  restore = setEnvironment({ HOME: home, AWS_EC2_METADATA_DISABLED: 'true' })
})
afterEach(() => {
  restore()
  rmSync(home, { recursive: true })
})

/** Everything that a person, a log or an error tracker gets to see of a value. */
function everythingOf(value: unknown): string {
  const seen: string[] = []
  for (let each = value, depth = 0; each !== undefined && each !== null && depth < 10; depth++) {
    const { message, stack, hint, cause } = each as Error & { hint?: string }
    seen.push(inspect(each, { depth: 20, showHidden: true, getters: true }), String(each), `${message}`, `${stack}`)
    seen.push(`${JSON.stringify(each)}`, `${hint}`, JSON.stringify(Object.getOwnPropertyDescriptors(each)))
    each = cause
  }
  return seen.join('\n')
}

/** Makes a client and calls it; gives all that comes of a failure: the error, the log, and what `explain()` says. */
async function outputsOf(options: BedrockClientOptions, isStream = false): Promise<{ error: Error; all: string }> {
  const lines: unknown[] = []
  const log = (...line: unknown[]): void => void lines.push(...line)
  const bedrock = createBedrockClient({
    region: 'us-east-1',
    logger: { debug: log, info: log, warn: log, error: log },
    retry: { attempts: 2, baseDelay: 0 },
    ...options,
  })
  const call = isStream ? bedrock.messages.stream(params).finalMessage() : bedrock.messages.create(params)
  const error = (await call.then(
    () => expect.unreachable('the call should have failed'),
    (error: unknown) => error,
  )) as Error
  const raw = await bedrock.fetch('/model/x/invoke', { method: 'POST', body: '{}' }).catch((error: unknown) => error)
  const explained = await bedrock.explain()
  const all = [error, ...lines, explained, explained.error, raw instanceof Error ? raw : '']
  return { error, all: all.map(everythingOf).join('\n') }
}

/** How what is on the way may spell a secret back. */
const spellings: Record<string, (secret: string) => string> = {
  'as it is': (secret) => secret,
  'URL-encoded': encodeURIComponent,
  'URL-encoded in lower case': (secret) => encodeURIComponent(secret).replace(/%../g, (text) => text.toLowerCase()),
  'URL-encoded twice': (secret) => encodeURIComponent(encodeURIComponent(secret)),
  'with JSON’s escaped slashes': (secret) => secret.replaceAll('/', '\\/'),
  'with JSON’s escaped characters': (secret) => secret.replace(/[+/=]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`),
  'escaped for HTML': (secret) => secret.replace(/[+/=]/g, (c) => `&#${c.charCodeAt(0)};`),
  'in base64': toBase64,
  'in base64, behind one letter': (secret) => toBase64(`x${secret}`),
  'in base64, behind a user': (secret) => toBase64(`me:${secret}`),
  'in base64, in the middle of a text': (secret) => toBase64(`Bearer ${secret} was refused`),
  'in base64 for URLs': (secret) => toBase64(`me:${secret}`).replaceAll('+', '-').replaceAll('/', '_'),
}

/** Who calls, and what of it is secret. */
const callers: [who: string, options: BedrockClientOptions, secrets: string[]][] = [
  ['AWS keys', { credentials: keys }, [secretAccessKey, sessionToken]],
  ['a Bedrock API key', { credentials: { token } }, [token]],
  ["headers beside 'none'", { credentials: 'none', headers: { 'x-api-key': headerSecret } }, [headerSecret]],
  ["an authorization beside 'none'", { credentials: 'none', headers: { authorization: `Bearer ${token}` } }, [token]],
]

const json = (status: number, body: object, headers: Record<string, string> = {}): Response =>
  Response.json(body, { status, headers })
const stream = (...frames: Uint8Array[]): Response =>
  new Response(new Blob(frames as BlobPart[]), { headers: { 'content-type': 'application/vnd.amazon.eventstream' } })
const asciiOnly = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?')

/** Where an answer quotes what it got; `visible` is what still has to be told. */
const places: [where: string, isStream: boolean, answer: (quoted: string) => Response, visible?: string][] = [
  ['in the message', false, (q) => json(400, { message: `before ${q} after` }), 'before'],
  ['in the Message', false, (q) => json(403, { Message: `before ${q} after` }), 'before'],
  ['in another member', false, (q) => json(400, { detail: { why: `before ${q} after` } }), 'before'],
  ['at the end of what is shown', false, (q) => new Response(`${'x '.repeat(140)}${q}`, { status: 502 }), 'x x'],
  ['at the end of what is read', false, (q) => json(400, { message: `${'x '.repeat(4090)}${q}` }), 'x x'],
  ['in a page', false, (q) => new Response(`<html><b>before</b><i>${q}</i></html>`, { status: 502 }), 'before'],
  ['in the type', false, (q) => json(400, { message: 'No' }, { 'x-amzn-errortype': asciiOnly(q) })],
  ['in the type of the body', false, (q) => json(400, { message: 'No', __type: `ns#${q}` })],
  ['in the request ID', false, (q) => json(400, { message: 'No' }, { 'x-amzn-requestid': asciiOnly(q) })],
  [
    'in a redirect',
    false,
    (q) => new Response(null, { status: 307, headers: { location: `https://${q.replace(/[^\w-]/g, '')}.example/` } }),
  ],
  ['in a path that is not routed', false, (q) => json(200, { Output: { __type: q }, Version: '1.0' })],
  ['in a cut body', false, (q) => new Response(`{"content":"${q}`)],
  ['in the content type', true, (q) => new Response('x', { headers: { 'content-type': `text/${asciiOnly(q)}` } })],
  [
    'in the message of an exception',
    true,
    (q) => stream(encodeException('validationException', `before ${q}`)),
    'before',
  ],
  ['in the type of an exception', true, (q) => stream(encodeException(q, 'before')), 'before'],
  [
    'in an error frame',
    true,
    (q) => stream(encodeFrame({ ':message-type': 'error', ':error-code': q, ':error-message': `before ${q}` }, '')),
    'before',
  ],
  [
    'in an error event',
    true,
    (q) =>
      stream(
        encodeChunk(
          JSON.stringify({
            bytes: toBase64(JSON.stringify({ type: 'error', error: { type: q, message: `before ${q}` } })),
          }),
        ),
      ),
    'before',
  ],
  ['in a chunk that is not JSON', true, (q) => stream(encodeChunk(`before ${q}`))],
  [
    'in a chunk whose event is not JSON',
    true,
    (q) => stream(encodeChunk(JSON.stringify({ bytes: toBase64(`before ${q}`) }))),
  ],
]

describe.each(callers)('%s', (_, options, secrets) => {
  test.each(places)('quoted %s', async (_, isStream, answer, visible) => {
    for (const spell of Object.values(spellings)) {
      for (const secret of secrets) {
        const { error, all } = await outputsOf({ ...options, fetch: async () => answer(spell(secret)) }, isStream)
        expect(isBedrockError(error)).toBe(true)
        expect(all).not.toMatch(mark)
        expect(all).not.toContain(spell(secret))
        if (visible) expect(error.message).toContain(visible)
      }
    }
  })

  test.each<[string, (secret: string) => unknown]>([
    ['a message', (secret) => new TypeError(`Invalid header value "${secret}"`)],
    ['a cause', (secret) => new TypeError('fetch failed', { cause: new Error(`connect to ${secret}`) })],
    [
      'an aggregated error',
      (secret) => new TypeError('fetch failed', { cause: new AggregateError([new Error(secret)]) }),
    ],
    ['a code', (secret) => Object.assign(new Error('failed'), { code: secret })],
    ['a name', (secret) => Object.assign(new Error('failed'), { name: secret })],
    ['an attached request', (secret) => Object.assign(new Error('failed'), { config: { headers: { secret } } })],
    ['a string', (secret) => `failed with ${secret}`],
    ['an object', (secret) => ({ request: { secret } })],
  ])('in an error of `fetch`: %s', async (_, failure) => {
    for (const secret of secrets) {
      const fetch = (): Promise<Response> => Promise.reject(failure(secret))
      for (const isStream of [false, true])
        expect((await outputsOf({ ...options, fetch }, isStream)).all).not.toMatch(mark)
      expect(everythingOf(webNetworkError(failure(secret), 'Failed', [secret]))).not.toMatch(mark)
    }
  })
})

describe('text in the shape of a secret', () => {
  const quoted = Object.entries(shaped).map(([what, secret]) => [what, secret] as const)

  test.each(quoted)('%s, thrown by a provider', async (what, secret) => {
    const text = what.startsWith('the user') ? `https://${secret}@proxy.example failed` : `before ${secret} after`
    const error = Object.assign(new Error(text, { cause: new Error(text) }), { config: { secret } })
    const credentials = async (): Promise<Identity> => {
      throw error
    }
    for (const provider of [credentials, cached(credentials)]) {
      const { error: seen, all } = await outputsOf({ credentials: provider })
      expect(seen).toMatchObject({ code: 'credentials' })
      expect(all).not.toContain(secret)
    }
    const results: unknown[] = []
    const client = createBedrockClient({ region: 'us-east-1', credentials, retry: false })
    for await (const row of runDoctor({
      client,
      region: 'us-east-1',
      credentials,
      fetch: async () => Response.json({}),
    }))
      results.push(row)
    expect(everythingOf(results)).not.toContain(secret)
    expect(everythingOf(await explainCredentials({ credentials }))).not.toContain(secret)
  })

  test.each(quoted)('%s, in a failed background renewal', async (_, secret) => {
    const clock = createTestClock()
    const lines: unknown[] = []
    const log = (...line: unknown[]): void => void lines.push(...line)
    let asked = 0
    const provider = cached(
      async () => {
        if (asked++ > 0) throw new Error(`https://${secret}@x`)
        return { ...keys, expiration: new Date(clock.now() + 3_600_000) }
      },
      { clock },
    )
    const logger = createLogger({ debug: log, info: log, warn: log, error: log })
    await provider({ logger })
    clock.advance(3_400_000)
    await provider({ logger })
    await new Promise(setImmediate)
    expect(lines).toHaveLength(2)
    expect(everythingOf(lines)).not.toContain(secret)
  })

  test.each([
    ['"SecretAccessKey": "Zq9"', '"SecretAccessKey": "[redacted]"'],
    ['{\\"SessionToken\\":\\"Zq9\\"}', '{\\"SessionToken\\":\\"[redacted]"}'],
    ['<SecretAccessKey>Zq9</SecretAccessKey>', '<SecretAccessKey>[redacted]</SecretAccessKey>'],
    ['export AWS_SECRET_ACCESS_KEY=Zq9', 'export AWS_SECRET_ACCESS_KEY=[redacted]'],
    ['AWS_BEARER_TOKEN_BEDROCK=Zq9', 'AWS_BEARER_TOKEN_BEDROCK=[redacted]'],
    ['https://h/?X-Amz-Security-Token=Zq9&b=1', 'https://h/?X-Amz-Security-Token=[redacted]&b=1'],
    ['https://h/?access_token=Zq9', 'https://h/?access_token=[redacted]'],
    ['Authorization: Bearer Zq9-example', 'Authorization: [redacted] [redacted]'],
    ['client_secret = Zq9', 'client_secret = [redacted]'],
  ])('%s', (text, shown) => {
    expect(redact(`before ${text} after`)).toBe(`before ${shown} after`)
    expect(redact(redact(text))).toBe(redact(text))
  })

  test("keeps AWS's own words", () => {
    for (const fault of Object.values(faults)) {
      if ('message' in fault && fault.message) expect(redact(fault.message)).toBe(fault.message)
    }
  })
})

describe('requests for credentials', () => {
  const roleArn = 'arn:aws:iam::123456789012:role/example'
  const xml = (text: string): Response =>
    new Response(
      `<ErrorResponse><Error><Code>${text}</Code><Message>before ${text}</Message></Error></ErrorResponse>`,
      {
        status: 403,
      },
    )

  test.each(Object.entries(spellings))('are quoted %s by STS and metadata services', async (_, spell) => {
    const providers = [
      { secret: token, provider: fromWebIdentity({ roleArn, token: () => token, region: 'us-east-1' }) },
      { secret: secretAccessKey, provider: fromAssumeRole({ credentials: keys, roleArn, region: 'us-east-1' }) },
      {
        secret: token,
        provider: fromContainerMetadata({
          env: {
            AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://127.0.0.1/creds',
            AWS_CONTAINER_AUTHORIZATION_TOKEN: token,
          },
        }),
      },
    ]
    for (const { secret, provider } of providers) {
      const answers: (() => Promise<Response>)[] = [
        async () => xml(spell(secret)),
        async () => json(403, { message: `before ${spell(secret)}` }),
        () => Promise.reject(new TypeError(`failed with ${spell(secret)}`, { cause: new Error(secret) })),
      ]
      for (const fetch of answers) {
        const { error, all } = await outputsOf({ credentials: provider, fetch })
        expect(error).toMatchObject({ code: 'credentials' })
        expect(all).not.toMatch(mark)
      }
    }
  })
})

describe('commands', () => {
  const secret = 'Zq9example'
  const node = JSON.stringify(process.execPath)
  const prints = `process.stderr.write('secret_access_key=${secret} ${shaped['a long-term API key']}');process.exit(1)`
  const command = `HELPER_KEY=${secret} ${node} -e "${prints}" -- --password ${secret}`

  test('that fail show neither their arguments nor their output', async () => {
    const lines: string[] = []
    for (const credentials of [
      fromCommand(command),
      withAuthRefresh(fromCommand(command), command, { onOutput: (line) => lines.push(line) }),
    ]) {
      const { all } = await outputsOf({ credentials })
      expect(all).not.toMatch(mark)
      expect(all).not.toContain(shaped['a long-term API key'])
    }
    expect(lines.join()).toContain('secret_access_key=[redacted]')
    expect(lines.join()).not.toMatch(mark)
  })

  test('with a substitution as the program show nothing of it', async () => {
    const { all } = await outputsOf({
      credentials: fromCommand(`KEY=$(printf %s ${secret} x) ${node} -e "process.exit(1)"`),
    })
    expect(all).not.toMatch(mark)
  })
})

describe('settings', () => {
  const secret = 'Zq9example'

  test.each<[string, object]>([
    ['awsAuthRefresh', { awsAuthRefresh: `login --password ${secret}`, awsCredentialExport: 'false' }],
    ['awsCredentialExport', { awsCredentialExport: `KEY=${secret} false ${secret}` }],
    ['custom headers', { env: { ANTHROPIC_CUSTOM_HEADERS: `x-api-key: ${secret}` } }],
    ['an API key', { env: { AWS_BEARER_TOKEN_BEDROCK: secret } }],
    ['a malformed API key', { env: { AWS_BEARER_TOKEN_BEDROCK: `${secret}\nx` } }],
    ['keys', { env: { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: secret } }],
    ['a malformed secret', { env: { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: `${secret} ${secret}` } }],
    ['a user in the endpoint', { env: { ANTHROPIC_BEDROCK_BASE_URL: `https://me:${secret}@gateway.example` } }],
    ['a query in the endpoint', { env: { ANTHROPIC_BEDROCK_BASE_URL: `https://gateway.example?api_key=${secret}` } }],
    ['an authorization token', { env: { ANTHROPIC_AUTH_TOKEN: secret, CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1' } }],
    ['a proxy', { env: { HTTPS_PROXY: `http://me:${secret}@127.0.0.1:1` } }],
  ])('%s stay hidden in explainSettings, the client, the doctor and init', async (_, settings) => {
    mkdirSync(join(home, '.claude'))
    const env = { CLAUDE_CODE_USE_BEDROCK: '1', AWS_REGION: 'us-east-1', ...(settings as { env?: object }).env }
    writeFileSync(join(home, '.claude/settings.json'), JSON.stringify({ ...settings, env }))
    const seen: unknown[] = []
    const terminal: Terminal = {
      print: (...parts) => void seen.push(parts),
      note: (...parts) => void seen.push(parts),
      write: (...parts) => void seen.push(parts),
      format: (...parts) => parts.map((part) => (typeof part === 'string' ? part : part.text)).join(''),
      paint: (colour, text) => ({ colour, text }),
      columns: 100,
    }
    const loaded = await loadSettings()
    seen.push(explainSettings(loaded), String(explainSettings(loaded)))
    try {
      const options = await clientOptionsOf(loaded, { onOutput: (line) => seen.push(line) })
      const fetch = (): Promise<Response> => Promise.reject(new TypeError(`failed with ${secret}`))
      seen.push((await outputsOf({ ...options, fetch, retry: false })).all)
    } catch (error) {
      seen.push(error)
    }
    for (const flags of [{}, { json: true }]) seen.push(await doctor.run(flags, terminal, '').catch((error) => error))
    seen.push(await init.run({ yes: true, file: join(home, 'written.json') }, terminal, '').catch((error) => error))
    expect(seen.map(everythingOf).join('\n')).not.toMatch(mark)
  })
})
