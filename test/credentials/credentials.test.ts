import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignatureV4 } from '@smithy/signature-v4'
import { Sha256 } from '@aws-crypto/sha256-js'
import { createBedrockClient, type CredentialProvider, CredentialsError, type Identity } from 'outcrop'
import {
  cached,
  chain,
  createBedrockApiKey,
  describeBedrockApiKey,
  fromAssumeRole,
  fromBearerToken,
  fromContainerMetadata,
  fromEnvironment,
  fromStatic,
  fromWebIdentity,
} from 'outcrop/credentials'
import { createFakeBedrock } from 'outcrop/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestClock, everythingOf, expectVerified, rejectionOf, setEnvironment } from './support.ts'

const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example-of-the-keys' }
const roleArn = 'arn:aws:iam::123456789012:role/example'
const params = { model: 'sonnet', max_tokens: 1, messages: [{ role: 'user' as const, content: 'Hi' }] }

let restore: () => void
beforeEach(() => {
  restore = setEnvironment({})
})
afterEach(() => restore())

describe('each source yields credentials that the fake verifies', () => {
  test('fromStatic', () => expectVerified(createFakeBedrock({ identities: [keys] }), fromStatic(keys)))

  test('fromEnvironment prefers an API key to keys', async () => {
    const env = {
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      AWS_SESSION_TOKEN: '',
    }
    const fake = createFakeBedrock({ identities: [keys, { token: 'api-key-example' }] })
    await expectVerified(fake, fromEnvironment(env))
    await expectVerified(fake, fromEnvironment({ ...env, AWS_BEARER_TOKEN_BEDROCK: 'api-key-example' }))
    expect(fake.calls.at(-1)?.identity).toBe('api-key')
  })

  test('fromBearerToken takes a key or a function', async () => {
    const fake = createFakeBedrock({ identities: [{ token: 'api-key-example' }] })
    await expectVerified(fake, fromBearerToken('api-key-example'))
    await expectVerified(
      fake,
      fromBearerToken(async () => 'api-key-example\n'),
    )
  })

  test('fromAssumeRole signs, and sends all of its options', async () => {
    const fake = createFakeBedrock({ identities: [keys] })
    const provider = fromAssumeRole({
      credentials: keys,
      roleArn,
      externalId: 'agreed',
      sessionName: 'session',
      duration: 900,
      tags: { team: 'red' },
      mfaSerial: 'arn:aws:iam::123456789012:mfa/me',
      mfaCode: () => '123456',
      policy: '{}',
    })
    const bodies: string[] = []
    const fetch: typeof globalThis.fetch = async (input, init) => {
      if (String(input).includes('//sts.')) bodies.push(String(init?.body))
      return fake.fetch(input, init)
    }
    await expectVerified(fake, provider, { fetch })
    expect(Object.fromEntries(new URLSearchParams(bodies[0]))).toEqual({
      Action: 'AssumeRole',
      Version: '2011-06-15',
      RoleArn: roleArn,
      RoleSessionName: 'session',
      DurationSeconds: '900',
      ExternalId: 'agreed',
      'Tags.member.1.Key': 'team',
      'Tags.member.1.Value': 'red',
      SerialNumber: 'arn:aws:iam::123456789012:mfa/me',
      TokenCode: '123456',
      Policy: '{}',
    })
    const [sts] = fake.calls
    expect(sts).toMatchObject({ operation: 'STS', signature: { valid: true } })
    expect((await provider()).source).toEqual({ name: 'assume-role', detail: roleArn })
  })

  test.each([
    ['us-east-1', 'sts.us-east-1.amazonaws.com'],
    ['cn-north-1', 'sts.cn-north-1.amazonaws.com.cn'],
    ['us-gov-west-1', 'sts.us-gov-west-1.amazonaws.com'],
  ])('fromAssumeRole uses the regional STS in %s', async (region, host) => {
    const hosts: string[] = []
    const fake = createFakeBedrock({ identities: [keys], region })
    const fetch: typeof globalThis.fetch = (input, init) => {
      hosts.push(new URL(String(input)).host)
      return fake.fetch(input, init)
    }
    await fromAssumeRole({ credentials: keys, roleArn })({ fetch, region })
    expect(hosts).toEqual([host])
  })

  test('fromAssumeRole uses AWS_ENDPOINT_URL_STS', async () => {
    process.env.AWS_ENDPOINT_URL_STS = 'http://127.0.0.1:1/sts'
    const urls: string[] = []
    const fake = createFakeBedrock({ identities: [keys] })
    const fetch: typeof globalThis.fetch = (input, init) => {
      urls.push(String(input))
      return fake.fetch(input, init)
    }
    await fromAssumeRole({ credentials: keys, roleArn })({ fetch, region: 'us-east-1' })
    expect(urls).toEqual(['http://127.0.0.1:1/sts/'])
  })

  test('fromWebIdentity sends a new token at every renewal, unsigned', async () => {
    const fake = createFakeBedrock({ identities: [] })
    let asked = 0
    const provider = fromWebIdentity({ roleArn, token: () => `token-example-${++asked}` })
    await expectVerified(fake, provider)
    await provider({ forceRefresh: true, fetch: fake.fetch, region: 'us-east-1' })
    expect(asked).toBe(2)
    expect(fake.calls[0]?.headers.authorization).toBeUndefined()
  })

  test('fromContainerMetadata works for ECS and EKS, with a token file', async () => {
    const fake = createFakeBedrock({ identities: [keys] })
    const asked: (string | null)[][] = []
    const fetch: typeof globalThis.fetch = async (input, init) => {
      if (!/169\.254|127\.0/.test(String(input))) return fake.fetch(input, init)
      asked.push([String(input), new Headers(init?.headers).get('authorization')])
      return Response.json({
        AccessKeyId: keys.accessKeyId,
        SecretAccessKey: keys.secretAccessKey,
        Expiration: '2099-01-01T00:00:00Z',
      })
    }
    await expectVerified(fake, fromContainerMetadata({ env: { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/x' } }), {
      fetch,
    })
    const env = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials',
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/var/run/token',
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'not-this-one',
    }
    const readToken = async (path: string): Promise<string> => `token-of-${path}\n`
    await expectVerified(fake, fromContainerMetadata({ env, readToken }), { fetch })
    expect(asked).toEqual([
      ['http://169.254.170.2/v2/x', null],
      ['http://169.254.170.23/v1/credentials', 'token-of-/var/run/token'],
    ])
  })

  test('createBedrockApiKey creates a key for its Region', async () => {
    const fake = createFakeBedrock({ identities: [keys] })
    const token = await createBedrockApiKey({ credentials: fromStatic(keys), region: 'us-east-1', expiresIn: 900 })
    await expectVerified(fake, fromBearerToken(token))
    const elsewhere = createBedrockClient({ region: 'eu-west-1', credentials: { token }, fetch: fake.fetch })
    await expect(elsewhere.messages.create(params)).rejects.toMatchObject({ code: 'service', status: 403 })
  })
})

describe('Bedrock API keys', () => {
  const date = new Date('2026-11-20T12:00:00Z')

  test("equal those of AWS's own signer", async () => {
    const token = await createBedrockApiKey({
      credentials: { ...keys, sessionToken: 'session/+=example' },
      region: 'eu-west-1',
      date,
    })
    const signer = new SignatureV4({
      credentials: { ...keys, sessionToken: 'session/+=example' },
      region: 'eu-west-1',
      service: 'bedrock',
      sha256: Sha256,
    })
    const request = {
      method: 'POST',
      protocol: 'https:',
      hostname: 'bedrock.amazonaws.com',
      path: '/',
      headers: { host: 'bedrock.amazonaws.com' },
      query: { Action: 'CallWithBearerToken' },
    }
    const { query } = await signer.presign(request, { expiresIn: 43_200, signingDate: date })
    const ours = new URL(`https://${atob(token.slice('bedrock-api-key-'.length))}`)
    expect(Object.fromEntries(ours.searchParams)).toEqual({ ...query, Version: '1' })
    expect(ours.host + ours.pathname).toBe('bedrock.amazonaws.com/')
  })

  test('show their Region and expiry without a request', async () => {
    const token = await createBedrockApiKey({
      credentials: { ...keys, accessKeyId: 'ASIAEXAMPLEKEYID' },
      region: 'eu-west-1',
      expiresIn: 60,
      date,
    })
    expect(describeBedrockApiKey(token)).toEqual({
      kind: 'short-term',
      region: 'eu-west-1',
      expiration: new Date('2026-11-20T12:01:00Z'),
      accessKeyId: 'ASIA…EYID',
    })
    expect(describeBedrockApiKey('ABSKexample')).toEqual({ kind: 'long-term' })
    expect(describeBedrockApiKey('bedrock-api-key-!!!')).toEqual({ kind: 'short-term' })
    expect((await fromBearerToken(token)()).expiration).toEqual(new Date('2026-11-20T12:01:00Z'))
  })

  test.each([0, 43_201, 1.5])('rejects an expiry of %d seconds', async (expiresIn) => {
    await expect(createBedrockApiKey({ credentials: keys, region: 'us-east-1', expiresIn })).rejects.toMatchObject({
      code: 'configuration',
    })
  })
})

describe('chain', () => {
  const nothing: CredentialProvider = async () => {
    throw new CredentialsError('not set up', { tryNextLink: true })
  }
  const broken: CredentialProvider = async () => {
    throw new CredentialsError('set up, and broken')
  }

  test('continues after a source that is not set up', async () => {
    expect(await chain(nothing, fromStatic(keys))()).toMatchObject(keys)
  })
  test('stops at a source that is set up but broken', async () => {
    await expect(chain(broken, fromStatic(keys))()).rejects.toThrow('set up, and broken')
  })
  test('lists the sources it tried', async () => {
    await expect(chain(nothing, fromEnvironment({}))()).rejects.toMatchObject({
      code: 'credentials',
      tryNextLink: true,
      message: expect.stringMatching(/not set up; .*AWS_BEARER_TOKEN_BEDROCK/),
    })
  })
  test("recognizes AWS's own providers by their errors", async () => {
    const aws: CredentialProvider = async () => {
      throw Object.assign(new Error('from the AWS SDK'), { tryNextLink: true })
    }
    expect(await chain(aws, fromStatic(keys))()).toMatchObject(keys)
  })
})

describe('cached', () => {
  const good = (clock: { now(): number }, seconds: number, id = 'AKIDEXAMPLE'): Identity => ({
    accessKeyId: id,
    secretAccessKey: 'secret-example',
    expiration: new Date(clock.now() + seconds * 1000),
  })

  test('resolves once for 100 concurrent callers', async () => {
    let calls = 0
    const provider = cached(async () => {
      calls++
      return keys
    })
    await Promise.all(Array.from({ length: 100 }, () => provider()))
    expect(calls).toBe(1)
  })

  test('renews ahead of expiry in the background, and waits near the expiry', async () => {
    const clock = createTestClock()
    let release: (identity: Identity) => void = () => {}
    const answers: (Identity | Promise<Identity>)[] = [good(clock, 900, 'AKID1')]
    let calls = 0
    const provider = cached(async () => answers[calls++] as Identity, { clock })
    expect(await provider()).toMatchObject({ accessKeyId: 'AKID1' })
    clock.advance(601_000)
    answers.push(
      new Promise((resolve) => {
        release = resolve
      }),
    )
    // Renewal hangs, and the old keys are still good.
    expect(await provider()).toMatchObject({ accessKeyId: 'AKID1' })
    expect(calls).toBe(2)
    clock.advance(240_000)
    const waiting = provider()
    release(good(clock, 900, 'AKID2'))
    expect(await waiting).toMatchObject({ accessKeyId: 'AKID2' })
    expect(calls).toBe(2)
  })

  test('keeps a valid identity after a failed renewal, and backs off', async () => {
    const clock = createTestClock()
    let calls = 0
    const provider = cached(
      async () => {
        calls++
        if (calls > 1) throw new CredentialsError('the metadata service is down')
        return good(clock, 120)
      },
      { clock },
    )
    await provider()
    clock.advance(100_000)
    expect(await provider()).toMatchObject({ accessKeyId: 'AKIDEXAMPLE' })
    expect(await provider()).toMatchObject({ accessKeyId: 'AKIDEXAMPLE' })
    expect(calls).toBe(2)
    clock.advance(1_500)
    await provider()
    expect(calls).toBe(3)
    clock.advance(1_500)
    await provider()
    expect(calls).toBe(3)
    clock.advance(60_000)
    await expect(provider()).rejects.toThrow('the metadata service is down')
  })

  test('tries again after a failure', async () => {
    const clock = createTestClock()
    let calls = 0
    const provider = cached(
      async () => {
        if (calls++ === 0) throw new CredentialsError('not yet')
        return keys
      },
      { clock },
    )
    await expect(provider()).rejects.toThrow('not yet')
    clock.advance(1_001)
    expect(await provider()).toMatchObject(keys)
  })

  test.each([240_000, 40_000])('keeps keys that live for %d ms for half of that time', async (life) => {
    const clock = createTestClock()
    let calls = 0
    const provider = cached(async () => good(clock, life / 1000, `AKID${++calls}`), { clock })
    await provider()
    clock.advance(life / 2 - 1)
    await provider()
    expect(calls).toBe(1)
    clock.advance(2)
    // Renewed for those who come later, while this one goes on with what is there.
    expect(await provider()).toMatchObject({ accessKeyId: 'AKID1' })
    expect(calls).toBe(2)
    expect(await provider()).toMatchObject({ accessKeyId: 'AKID2' })
  })

  test('doubles the pause after each failure, up to a minute', async () => {
    const clock = createTestClock()
    const begun = clock.now()
    const asked: number[] = []
    const provider = cached(
      async () => {
        asked.push((clock.now() - begun) / 1000)
        throw new CredentialsError('the vault is closed')
      },
      { clock },
    )
    for (; clock.now() - begun < 200_000; clock.advance(500)) await rejectionOf(provider())
    expect(asked).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183])
  })

  const sameId = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example' }
  test.each<[string, Identity, Identity]>([
    ['keys, by the secret', sameId, { ...sameId, secretAccessKey: 'another-secret-example' }],
    ['keys, by the session', { ...sameId, sessionToken: 'one' }, { ...sameId, sessionToken: 'two' }],
    ['API keys', { token: 'one-token-example' }, { token: 'two-token-example' }],
    ['an API key and keys', { token: 'one-token-example' }, sameId],
    ['keys and an API key', sameId, { token: 'one-token-example' }],
  ])('compares refused credentials with the current ones: %s', async (_, old, present) => {
    let calls = 0
    const provider = cached(async () => (++calls === 1 ? old : present))
    await provider()
    expect(await provider({ forceRefresh: true, refused: { ...old } })).toBe(present)
    expect(await provider({ forceRefresh: true, refused: { ...old } })).toBe(present)
    expect(calls).toBe(2)
    await provider({ forceRefresh: true, refused: { ...present } })
    expect(calls).toBe(3)
  })

  test('drops only the refused identity', async () => {
    let calls = 0
    const provider = cached(async () => ({ accessKeyId: `AKID${++calls}`, secretAccessKey: 'secret-example' }))
    const first = await provider()
    const second = await provider({ forceRefresh: true, refused: first })
    expect(second).toMatchObject({ accessKeyId: 'AKID2' })
    // Somebody whose request was signed with the first one comes late.
    expect(await provider({ forceRefresh: true, refused: first })).toBe(second)
    expect(calls).toBe(2)
  })

  test('continues for the others if one caller leaves', async () => {
    let release: (identity: Identity) => void = () => {}
    const provider = cached(
      () =>
        new Promise((resolve) => {
          release = resolve
        }),
    )
    const leaver = new AbortController()
    const left = provider({ signal: leaver.signal })
    const staying = provider()
    leaver.abort(new Error('left'))
    await expect(left).rejects.toThrow('left')
    release(keys)
    expect(await staying).toBe(keys)
  })
})

describe('a 403 from Bedrock', () => {
  const renewing = (): { provider: CredentialProvider; count: () => number } => {
    let calls = 0
    return {
      provider: async () => ({ accessKeyId: `AKIDEXAMPLE${calls++}`, secretAccessKey: 'secret-example' }),
      count: () => calls,
    }
  }
  const accepting = (...numbers: number[]): Identity[] =>
    numbers.map((n) => ({ accessKeyId: `AKIDEXAMPLE${n}`, secretAccessKey: 'secret-example' }))

  test.each(['create', 'stream', 'invokeStream'] as const)(
    'for expired credentials: one refresh, one replay, through %s',
    async (way) => {
      const fake = createFakeBedrock({ identities: accepting(0, 1) })
      const { provider, count } = renewing()
      const bedrock = createBedrockClient({
        region: 'us-east-1',
        credentials: provider,
        fetch: fake.fetch,
        retry: false,
      })
      fake.fail('expired-token')
      if (way === 'create') await bedrock.messages.create(params)
      else if (way === 'stream') await bedrock.messages.stream(params).finalMessage()
      else {
        const { model, ...body } = params
        const { events } = await bedrock.invokeStream({
          model,
          body: { anthropic_version: 'bedrock-2023-05-31', ...body },
        })
        for await (const _ of events);
      }
      expect(fake.calls.map(({ status }) => status)).toEqual([403, 200])
      expect(fake.calls.map(({ identity }) => identity)).toEqual(['AKIDEXAMPLE0', 'AKIDEXAMPLE1'])
      expect(count()).toBe(2)
    },
  )

  test('for 50 concurrent calls: one refresh', async () => {
    const fake = createFakeBedrock({ identities: accepting(1) })
    const { provider, count } = renewing()
    const bedrock = createBedrockClient({ region: 'us-east-1', credentials: provider, fetch: fake.fetch, retry: false })
    await Promise.all(Array.from({ length: 50 }, () => bedrock.messages.create(params)))
    expect(count()).toBe(2)
    expect(fake.calls).toHaveLength(100)
  })

  test('twice is a ServiceError', async () => {
    const fake = createFakeBedrock({ identities: [] })
    const { provider, count } = renewing()
    const bedrock = createBedrockClient({ region: 'us-east-1', credentials: provider, fetch: fake.fetch })
    await expect(bedrock.messages.create(params)).rejects.toMatchObject({ code: 'service', status: 403 })
    expect(fake.calls).toHaveLength(2)
    expect(count()).toBe(2)
  })
})

test('explicit keys ignore the environment', async () => {
  Object.assign(process.env, {
    AWS_BEARER_TOKEN_BEDROCK: 'api-key-of-the-environment',
    AWS_SESSION_TOKEN: 'session-of-the-environment',
    AWS_ACCESS_KEY_ID: 'AKIDOTHER',
    AWS_SECRET_ACCESS_KEY: 'secret-of-the-environment',
  })
  const fake = createFakeBedrock({ identities: [keys] })
  await expectVerified(fake, keys)
  expect(fake.calls[0]?.headers['x-amz-security-token']).toBeUndefined()
  expect(fake.calls[0]?.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\//)
})

test("'none' sends no credentials", async () => {
  const fake = createFakeBedrock()
  const bedrock = createBedrockClient({ region: 'us-east-1', credentials: 'none', fetch: fake.fetch, retry: false })
  await expect(bedrock.messages.create(params)).rejects.toMatchObject({ status: 403 })
  expect(fake.calls[0]?.headers.authorization).toBeUndefined()
})

test.each([
  ['half a pair', () => fromStatic({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: '' })],
  ['an empty API key', () => fromBearerToken(' ')],
  ['an empty chain', () => chain()],
  ['an invalid role', () => fromAssumeRole({ credentials: keys, roleArn: 'example' })],
  ['an invalid duration', () => fromAssumeRole({ credentials: keys, roleArn, duration: 60 })],
  ['a session name with a space', () => fromAssumeRole({ credentials: keys, roleArn, sessionName: 'a b' })],
  ['an MFA device without a code', () => fromAssumeRole({ credentials: keys, roleArn, mfaSerial: 'x' })],
  ['a web identity without a token', () => fromWebIdentity({ roleArn } as never)],
])('rejects %s at once', (_, make) => {
  expect(make).toThrow(expect.objectContaining({ code: 'configuration' }))
})

test.each([
  ['http://169.254.169.254/', /not a host that serves container credentials/],
  ['http://example.com/', /not a host/],
  ['not a url', /not a URL/],
])('rejects container credentials from %s before anything is sent', async (uri, message) => {
  const fetch = async (): Promise<Response> => expect.unreachable()
  const provider = fromContainerMetadata({ env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: uri } })
  await expect(provider({ fetch })).rejects.toThrow(message)
})

test('no error contains a secret', async () => {
  const echo = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const said = `${body} ${request.headers.authorization} ${keys.secretAccessKey} session-example-of-the-keys`
    response
      .writeHead(403)
      .end(`<ErrorResponse><Error><Code>AccessDenied</Code><Message>token=${said}</Message></Error></ErrorResponse>`)
  })
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(echo.address() as AddressInfo).port}`
  const credentials = { ...keys, sessionToken: 'session-example-of-the-keys' }
  const region = 'us-east-1'
  const lines: unknown[] = []
  const logger = {
    debug: (...a: unknown[]) => lines.push(a),
    info: (...a: unknown[]) => lines.push(a),
    warn: (...a: unknown[]) => lines.push(a),
    error: (...a: unknown[]) => lines.push(a),
  }
  const failing = [
    fromAssumeRole({ credentials, roleArn, endpoint, region }),
    fromWebIdentity({ roleArn, endpoint, region, token: () => 'web-token-example-0123456789' }),
  ]
  for (const provider of failing) {
    const error = await rejectionOf(provider({ logger }))
    expect(error).toMatchObject({ code: 'credentials' })
    const shown = everythingOf(error) + everythingOf(lines)
    for (const secret of [keys.secretAccessKey, 'session-example-of-the-keys', 'web-token-example-0123456789'])
      if (provider === failing[0] || secret.startsWith('web')) expect(shown).not.toContain(secret)
  }
  await new Promise((resolve) => echo.close(resolve))
})
