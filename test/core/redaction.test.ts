import { type CoreClientOptions, createBedrockClient } from 'outcrop/core'
import { describe, expect, test } from 'vitest'

// The parts of foreign text that are removed, and those that stay. test/secrets.test.ts checks that no secret remains;
// these hold that a message can still be read.

const secretAccessKey = 'wJalrXUtnFEMIexampleK7MDENGbPxRfiCYzEX40'
const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 1,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}

async function failureOf(fetch: CoreClientOptions['fetch'], options: CoreClientOptions = {}): Promise<Error> {
  const bedrock = createBedrockClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey },
    retry: false,
    fetch,
    ...options,
  })
  return bedrock.messages.create(params).then(
    () => expect.unreachable('the call should have failed'),
    (error: unknown) => error as Error,
  )
}

/** Returns the error message for a text of Bedrock, or of a proxy in its place. */
async function shown(message: string, headers: Record<string, string> = {}): Promise<string> {
  const answer = async () =>
    Response.json({ message }, { status: 400, headers: { 'x-amzn-errortype': 'ValidationException' } })
  return (await failureOf(answer, { headers })).message
}

describe('text in the shape of a secret, and text that only looks like one', () => {
  test.each([
    ['a commit hash', '0123456789abcdef0123456789abcdef01234567'],
    ['forty uppercase letters and digits', 'ABCDEFGHIJ0123456789ABCDEFGHIJ0123456789'],
    ['forty letters', 'abcdefghijKLMNOPQRSTabcdefghijKLMNOPQRST'],
    ['a request ID', '0f3b1c1e-8c8e-4b0e-9d53-6d2f5a1c2b3d'],
    ['an ARN', 'arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-sonnet-4-6'],
    ['a word of 41 characters', `a1B${'x'.repeat(38)}`],
  ])('keeps %s', async (_, text) => {
    expect(await shown(`Not found: ${text} (see above)`)).toContain(text)
  })

  test('removes only forty characters of all three kinds', async () => {
    expect(await shown(`key aB3${'xY9k'.repeat(9)}z is not known`)).toContain('key [redacted] is not known')
  })
})

describe('the values of headers that may hold a secret', () => {
  test.each([
    ['x-gateway-key', 'sesame', 'of six characters, where the name says so'],
    ['x-team', 'openthegates', 'of twelve characters elsewhere'],
    ['proxy-authorization', 'Basic sesame', 'behind a scheme'],
    ['cookie', 'id=sesame; other="opened"', 'within a cookie'],
    ['my-accept', 'openthegates', 'in a header that ends like one of the harmless'],
    ['accepted', 'openthegates', 'in a header that begins like one of the harmless'],
  ])('%s: removes %s, %s', async (name, value) => {
    const secret = /sesame|openthegates/.exec(value)?.[0] as string
    const said = await shown(`The gateway refused ${secret}, Basic or not, for ${name}`, { [name]: value })
    expect(said).toContain(`The gateway refused [redacted], Basic or not, for ${name}`)
  })

  test.each([
    ['x-gateway-key', 'gates', 'five characters'],
    ['x-team', 'openthegate', 'eleven characters'],
    ['accept', 'application/json', 'accept'],
    ['user-agent', 'application/1.0', 'user-agent'],
    ['anthropic-beta', 'interleaved-thinking-2025-05-14', 'betas'],
    ['x-amzn-bedrock-trace', 'ENABLED_FULL', "Bedrock's own"],
  ])('%s: keeps %s (%s)', async (name, value) => {
    expect(await shown(`Not accepted: ${value} here`, { [name]: value })).toContain(`Not accepted: ${value} here`)
  })

  test('does not include the scheme before it', async () => {
    const said = await shown('Bearer sesame was refused', { 'x-gateway-auth': 'Bearer sesame' })
    expect(said).toContain('Bearer [redacted] was refused')
  })
})

describe('a value after the name of a secret', () => {
  const names = [
    ...[
      'SecretAccessKey',
      'secret_access_key',
      'aws_secretaccesskey',
      'SessionToken',
      'security-token',
      'securitytoken',
    ],
    ...[
      'access_token',
      'accessToken',
      'refresh-token',
      'id_token',
      'auth_token',
      'authtoken',
      'AWS_BEARER_TOKEN_BEDROCK',
    ],
    ...[
      'clientSecret',
      'client_secret',
      'password',
      'apiKey',
      'api_key',
      'x-api_key',
      'Authorization',
      'X-Amz-Signature',
    ],
  ]

  test.each(names)('%s is removed, and nothing beside it', async (name) => {
    for (const [before, after] of [
      ['=', ' z'],
      [': ', ', z'],
      [' = ', ';z'],
      ['":"', '"z'],
      ["' : '", "'z"],
      ['\\":\\"', '"z'],
      ['\\\\\\": \\\\\\"', '"z'],
      ['=', '&z'],
      [':', '}z'],
      ['>', '</z'],
    ] as const)
      expect(await shown(`a ${name}${before}Zq9${after}`)).toBe(`a ${name}${before}[redacted]${after}`)
  })

  test.each(['a token: Zq9', 'the password is Zq9', 'passwords: Zq9', 'key=Zq9', 'my access, token=Zq9'])(
    '%s stays, because it has no such name',
    async (text) => {
      expect(await shown(text)).toBe(text)
    },
  )
})

describe('a secret by its form alone', () => {
  const long = 'aB3/'.repeat(11)
  test.each<[string, string]>([
    ['a Bedrock API key', 'bedrock-api-key-YmVkcm9ja.z+/=%-9'],
    ['a long-term Bedrock API key', `ABSK${long.slice(0, 16)}z`],
    ...['IQoJ', 'FwoG', 'FQoG', 'AQoD'].map((start): [string, string] => [
      'a session token',
      `${start}${long.slice(0, 40)}z`,
    ]),
    ['a JSON Web Token', 'eyJhbGciOiJ.eyJzdWIi-_Oi.c2ln'],
    ['a token after its scheme', 'bearer abcd+/=.~-_8'],
    ['a password after its scheme', 'Basic dXNlcjpw'],
  ])('%s is removed: %s', async (_, secret) => {
    const said = await shown(`refused "${secret}", sorry`)
    expect(said).toMatch(/^refused "((bearer|Basic) )?\[redacted\]", sorry$/)
  })

  test('the user of a URL is removed', async () => {
    expect(await shown('GET https://me:Zq9@proxy.example/a failed')).toBe(
      'GET https://[redacted]@proxy.example/a failed',
    )
    expect(await shown('GET https://proxy.example/me@home failed')).toBe('GET https://proxy.example/me@home failed')
  })

  test.each([
    'Bearer token',
    'Basic access',
    'ABSK',
    'ABSKabcdefg',
    'IQoJabcdefg',
    'an IQoJ',
    'eyJ',
    'the bedrock-api-key',
    'mail me@home.example',
  ])('%s stays', async (text) => {
    expect(await shown(`${text} was refused`)).toBe(`${text} was refused`)
  })
})

describe('a secret inside base64', () => {
  const token = 'odd>>>token???of~~~mine'
  const urlSafe = (text: string): string => text.replaceAll('+', '-').replaceAll('/', '_')

  test.each(['', 'a', 'ab', 'me:', 'you:', 'them:', '\xff', '\xff\xff'])('is removed after %j', async (before) => {
    for (const after of ['', ':', '::', '\xff\xff\xff']) {
      const encoded = btoa(before + token + after)
      expect(encoded).toMatch(/[+/]/)
      for (const text of [encoded, urlSafe(encoded)]) {
        const said = await shown(`Not ${text} again`, { 'x-gateway-key': token })
        expect(said).toContain('[redacted]')
        // At each end, a few bits belong to what is beside it.
        expect(said.length).toBeLessThan(`Not ${btoa(before)}[redacted]${btoa(after)} again`.length + 8)
      }
    }
  })
})

describe('the length of foreign text', () => {
  const word = 'abcdefg '
  const whole = word.repeat(1024).trimEnd()

  test('is shown whole up to 8,192 characters', async () => {
    expect(await shown(`${whole}.`)).toContain(`${whole}.`)
  })

  test('is cut between words above', async () => {
    const said = await shown(`${'abcdefg '.repeat(1023)}abc ${'k'.repeat(64)}`)
    expect(said).toContain('abc …')
    expect(said).not.toContain('kk')
  })

  test('is at most 8,192 characters', async () => {
    expect((await shown('abcdefg '.repeat(3000))).length).toBeLessThan(8_300)
  })

  test.each(['"', '<', '>', ','])('is cut at %s', async (mark) => {
    const said = await shown(`${'abcdefg '.repeat(1023)}abc${mark}${'k'.repeat(64)}`)
    expect(said).toContain(`abc${mark}…`)
    expect(said).not.toContain('kk')
  })
})

describe('the characters of foreign text', () => {
  test('are escaped if a terminal would interpret them', async () => {
    const said = await shown('red \u001b[31m, \u202eevil, \u2028line, \u{e0001}tag and')
    expect(said).toContain('red \\u001b[31m, \\u202eevil, line, \\ue0001tag and')
  })

  test('keep their joiners, which scripts and emoji need', async () => {
    const text = '\u0645\u06cc\u200c\u062e \u{1f469}\u200d\u{1f4bb}'
    expect(await shown(text)).toContain(text)
  })
})

describe('an underlying error', () => {
  const broken = (error: unknown) => failureOf(() => Promise.reject(error))
  const causesOf = (error: unknown): Error[] => {
    const causes: Error[] = []
    for (let each = (error as Error).cause; each instanceof Error; each = each.cause) causes.push(each)
    return causes
  }

  test('keeps its name, message, code, frames and causes', async () => {
    const root = Object.assign(new RangeError('root'), { code: 7 })
    const error = Object.assign(new TypeError('fetch failed', { cause: root }), { code: 'EOTHER' })
    const [copy, below] = causesOf(await broken(error))
    expect(copy).toMatchObject({ name: 'TypeError', message: 'fetch failed', code: 'EOTHER' })
    expect(copy?.stack).toMatch(/^TypeError: fetch failed\n {4}at /)
    expect(copy?.stack?.split('\n')).toHaveLength(String(error.stack).split('\n').length)
    expect(below).toMatchObject({ name: 'RangeError', message: 'root', code: 7 })
    expect(Object.keys(copy as object)).not.toContain('request')
  })

  test('may be a text', async () => {
    const [copy] = causesOf(await broken('out of service'))
    expect(copy?.message).toBe('out of service')
  })

  test('keeps what it quotes, unless a parser does', async () => {
    const quoting = 'the header "x-app" is odd'
    const [kept] = causesOf(await broken(new TypeError(quoting)))
    expect(kept?.message).toBe(quoting)
    const [parser] = causesOf(await broken(new SyntaxError(quoting)))
    expect(parser?.message).toBe('the header "…" is odd')
  })

  test('gets no code if it had none', async () => {
    const [copy] = causesOf(await broken(new TypeError('fetch failed')))
    expect(copy).toBeDefined()
    expect(copy).not.toHaveProperty('code')
  })

  test('gets no cause if it had none', async () => {
    const [copy, below] = causesOf(await broken(new TypeError('fetch failed')))
    expect(copy).toBeDefined()
    expect(below).toBeUndefined()
  })

  test('keeps the first of several errors as the cause', async () => {
    const [, below] = causesOf(await broken(new AggregateError([new Error('first'), new Error('second')], 'many')))
    expect(below?.message).toBe('first')
  })

  test('is shown with at most five causes, even of an endless chain', async () => {
    const error = new Error('round and round')
    error.cause = error
    expect(causesOf(await broken(error))).toHaveLength(5)
  })
})
