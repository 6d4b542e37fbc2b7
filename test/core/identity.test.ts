import { createBedrockClient, type CredentialProvider, CredentialsError, type Identity } from 'outcrop/core'
import { cached, chain, fromStatic } from 'outcrop/credentials'
import { createFakeBedrock } from 'outcrop/testing'
import { signRequest } from 'outcrop/sigv4'
import { describe, expect, test } from 'vitest'
import { everythingOf } from '../credentials/support.ts'

const keys = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'recognisable-secret',
  sessionToken: 'recognisable-session',
}
const token = 'recognisable-api-key'
const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 1,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}

/** Returns the error of a call, thrown or rejected, and the number of requests. */
async function failureOf(
  credentials: unknown,
): Promise<{ error: Error & { code?: string; hint?: string }; sent: number }> {
  const fake = createFakeBedrock()
  let sent = 0
  try {
    const bedrock = createBedrockClient({
      region: fake.region,
      credentials: credentials as Identity,
      // As the platform's own: it puts the headers together, and quotes one that it cannot carry.
      fetch: async (input, init) => {
        sent++
        return fake.fetch(input, { ...init, headers: new Headers(init?.headers) })
      },
      retry: { baseDelay: 0 },
    })
    await bedrock.messages.create(params)
  } catch (error) {
    return { error: error as Error, sent }
  }
  return expect.unreachable('the call should have failed')
}

const malformed: [what: string, identity: object, field: string][] = [
  ['a line break inside', { ...keys, secretAccessKey: 'recognisable\nsecret' }, 'secretAccessKey'],
  ['a line break at the end', { ...keys, secretAccessKey: 'recognisable-secret\n' }, 'secretAccessKey'],
  ['a NUL', { ...keys, sessionToken: 'recognisable\0session' }, 'sessionToken'],
  ['a carriage return', { ...keys, sessionToken: 'recognisable-session\r' }, 'sessionToken'],
  ['a space before', { ...keys, accessKeyId: ' AKIDRECOGNISABLE' }, 'accessKeyId'],
  ['a slash in the ID', { ...keys, accessKeyId: 'recognisable/secret' }, 'accessKeyId'],
  ['a token with a line break', { token: 'recognisable-api-key\n' }, 'token'],
  ['a token that is not ASCII', { token: 'recognisable-ключ' }, 'token'],
  ['a token that is a number', { token: 12345678 }, 'token'],
  ['a session token that is an object', { ...keys, sessionToken: { recognisable: 'secret' } }, 'sessionToken'],
  ['an expiration that is text', { ...keys, expiration: '2099-01-01T00:00:00Z' }, 'expiration'],
  ['an expiration that is no date', { token, expiration: new Date(Number.NaN) }, 'expiration'],
]

describe.each([
  ['in an option', (identity: object) => identity],
  ['from a provider', (identity: object) => async () => identity],
  ['from a cached provider', (identity: object) => cached((async () => identity) as never)],
  ['from a chain', (identity: object) => chain((async () => identity) as never)],
  ['from a function that is not async', (identity: object) => () => identity],
])('a malformed identity %s', (_, give) => {
  test.each(malformed)(
    'is a CredentialsError that names the field but not its value: %s',
    async (_, identity, field) => {
      const { error, sent } = await failureOf(give(identity))
      expect(error).toMatchObject({ code: 'credentials', message: expect.stringContaining(field) })
      expect(everythingOf(error)).not.toMatch(/recognisable|12345678|КЛЮЧ/i)
      expect(sent).toBe(0)
    },
  )
})

const shapes: [what: string, given: unknown][] = [
  ['a string', token],
  ['null', null],
  ['a number', 42],
  ['a list', [token]],
  ['an object', { apiKey: token }],
  ['has no secretAccessKey', { accessKeyId: 'AKIDEXAMPLE' }],
  ['has no token', { token: '' }],
  ['an object', Promise.resolve({ token })],
]

describe('a value that is not an identity', () => {
  test.each(shapes)('is named by its type in an option: %s', async (shape, given) => {
    const { error, sent } = await failureOf(given)
    expect(error).toMatchObject({
      code: 'configuration',
      message: expect.stringContaining(shape),
      hint: expect.any(String),
    })
    expect(everythingOf(error)).not.toContain(token)
    expect(sent).toBe(0)
  })

  test.each(shapes.filter(([, given]) => !(given instanceof Promise)))(
    'is named by its type from a provider: %s',
    async (shape, given) => {
      const { error, sent } = await failureOf(async () => given)
      expect(error).toMatchObject({ code: 'credentials', message: expect.stringContaining(shape) })
      expect(everythingOf(error)).not.toContain(token)
      expect(sent).toBe(0)
    },
  )

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => {}],
  ])('is described, from a provider: %s', async (shape, given) => {
    expect((await failureOf(async () => given)).error.message).toContain(shape)
  })
})

test.each([{ token: 12_345_678 }, { ...keys, secretAccessKey: 12_345_678 }])(
  'distinguishes a field of the wrong type from one with an invalid character: %#',
  async (identity) => {
    expect((await failureOf(identity)).error.message).toContain('is a number, not a string')
    const text = JSON.parse(JSON.stringify(identity).replace('12345678', '"1234\\n5678"'))
    expect((await failureOf(text)).error.message).toContain('contains an invalid character')
  },
)

test("passes on a provider's error of this library, and wraps any other as the cause", async () => {
  const mine = new CredentialsError('The vault is sealed', { hint: 'Unseal it.' })
  const thrown = (error: unknown) => failureOf(() => Promise.reject(error))
  expect((await thrown(mine)).error).toBe(mine)
  expect((await thrown(new TypeError('no vault'))).error).toMatchObject({
    code: 'credentials',
    message: 'No credentials: no vault',
    cause: { name: 'TypeError', message: 'no vault' },
  })
})

test('accepts every base64 character in AWS keys', async () => {
  const identity = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret/example+of=,', sessionToken: 'a/b+c==' }
  const fake = createFakeBedrock({ identities: [identity] })
  const bedrock = createBedrockClient({ region: fake.region, credentials: identity, fetch: fake.fetch })
  await bedrock.messages.create(params)
  expect(fake.calls).toMatchObject([{ status: 200, signature: { valid: true } }])
})

test('accepts a provider that is not async', async () => {
  const fake = createFakeBedrock()
  const credentials = (() => fake.identity) as unknown as CredentialProvider
  await createBedrockClient({ region: fake.region, credentials, fetch: fake.fetch }).messages.create(params)
  expect(fake.calls.at(-1)).toMatchObject({ status: 200, signature: { valid: true } })
})

test('fromStatic rejects a malformed identity at once', () => {
  for (const [, identity, field] of malformed.filter(([, identity]) => !('token' in identity))) {
    let error: unknown
    try {
      fromStatic(identity as never)
    } catch (caught) {
      error = caught
    }
    expect(error).toMatchObject({ code: 'credentials', message: expect.stringContaining(field) })
    expect(everythingOf(error)).not.toContain('recognisable')
  }
})

describe('signRequest on its own', () => {
  const scope = { region: 'us-east-1', service: 'bedrock' }
  test.each<[string, unknown]>([
    ['a string', token],
    ['null', null],
    ['an ID with a line break', { ...keys, accessKeyId: 'AKID\nrecognisable' }],
    ['a session token with a line break', { ...keys, sessionToken: 'recognisable\nsession' }],
  ])('rejects %s without printing it', async (_, identity) => {
    const error = await signRequest({ url: 'https://example.com' }, { ...scope, identity: identity as never }).then(
      () => expect.unreachable('it should have been refused'),
      (error: unknown) => error,
    )
    expect(error).toMatchObject({ code: 'configuration' })
    expect(everythingOf(error)).not.toContain('recognisable')
  })
})
