import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CredentialProvider, isBedrockError } from 'outcrop'
import { fromAssumeRole, fromContainerMetadata, fromWebIdentity } from 'outcrop/credentials'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Clock } from '../../src/core/types.ts'
import { everythingOf, rejectionOf, setEnvironment } from './support.ts'

// Responses and endpoints of the services that issue credentials.
const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example' }
const roleArn = 'arn:aws:iam::123456789012:role/r'
const now = Date.UTC(2026, 10, 20)

let restore = (): void => {}
beforeEach(() => {
  restore = setEnvironment({ AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/credentials/1' })
})
afterEach(() => restore())

/** A clock whose timers run when they are told to. */
function manualClock(): Clock & { waiting: number[]; fire(): void } {
  const timers = new Map<object, { callback: () => void; milliseconds: number }>()
  return {
    now: () => now,
    setTimeout: (callback, milliseconds) => {
      const handle = {}
      timers.set(handle, { callback, milliseconds })
      return handle
    },
    clearTimeout: (handle) => void timers.delete(handle as object),
    get waiting() {
      return [...timers.values()].map(({ milliseconds }) => milliseconds)
    },
    fire: () => {
      for (const { callback } of timers.values()) callback()
    },
  }
}

const sources: [name: string, make: (options: { clock: Clock; timeout?: number }) => CredentialProvider][] = [
  ['fromAssumeRole', (options) => fromAssumeRole({ credentials: keys, roleArn, ...options })],
  ['fromWebIdentity', (options) => fromWebIdentity({ token: () => 'token-example', roleArn, ...options })],
  ['fromContainerMetadata', (options) => fromContainerMetadata(options)],
]

/** The response of each service, in its own form. */
function answer(name: string, expiration: string, extra = ''): string {
  return name === 'fromContainerMetadata'
    ? JSON.stringify({ AccessKeyId: 'ASIAEXAMPLE', SecretAccessKey: 'secret-example', Expiration: expiration, extra })
    : `<AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>secret-example</SecretAccessKey><Expiration>${expiration}</Expiration>${extra}`
}

describe.each(sources)('%s', (name, make) => {
  const ask = (provider: CredentialProvider, fetch: typeof globalThis.fetch) => provider({ fetch, region: 'us-east-1' })

  test('limits the wait for a response', async () => {
    const clock = manualClock()
    let signal: AbortSignal | null | undefined
    let sent = (): void => {}
    const began = new Promise<void>((resolve) => {
      sent = resolve
    })
    const asked = rejectionOf(
      ask(make({ clock, timeout: 1234 }), (_, init) => {
        signal = init?.signal
        sent()
        // A `fetch` that hears no signal is not waited for either.
        return new Promise(() => {})
      }),
    )
    await began
    expect(clock.waiting).toEqual([1234])
    clock.fire()
    expect(await asked).toMatchObject({ code: 'credentials', message: expect.stringContaining('within 1234 ms') })
    expect(signal?.aborted).toBe(true)
    expect(clock.waiting).toEqual([])
  })

  test('limits the wait for a body', async () => {
    const clock = manualClock()
    let read = (): void => {}
    const began = new Promise<void>((resolve) => {
      read = resolve
    })
    const stuck = (): Promise<void> => {
      read()
      return new Promise(() => {})
    }
    const body = new ReadableStream({ pull: stuck }, { highWaterMark: 0 })
    const asked = rejectionOf(ask(make({ clock }), async () => new Response(body)))
    await began
    clock.fire()
    expect(await asked).toMatchObject({ code: 'credentials', message: expect.stringContaining('did not answer') })
  })

  test.each([2 ** 31, Number.POSITIVE_INFINITY])('treats a timeout of %d ms as the longest timer', async (timeout) => {
    const clock = manualClock()
    let waiting: number[] = []
    await ask(make({ clock, timeout }), async () => {
      waiting = clock.waiting
      return new Response(answer(name, '2030-01-01T00:00:00Z'))
    })
    expect(waiting).toEqual([2 ** 31 - 1])
  })

  test('leaves no timer behind', async () => {
    const clock = manualClock()
    await ask(make({ clock }), async () => new Response(answer(name, new Date(now + 3_600_000).toISOString())))
    expect(clock.waiting).toEqual([])
  })

  test.each([0, -1, Number.NaN])('rejects a timeout of %d ms at once', (timeout) => {
    expect(() => make({ clock: manualClock(), timeout })).toThrow(expect.objectContaining({ code: 'configuration' }))
  })

  test('rejects expired keys', async () => {
    const old = new Date(now - 1).toISOString()
    const provider = make({ clock: manualClock() })
    expect(await rejectionOf(ask(provider, async () => new Response(answer(name, old))))).toMatchObject({
      code: 'credentials',
      message: expect.stringContaining(`expired at ${old}`),
    })
  })

  test("compares the expiry with the response's time, not a wrong local clock", async () => {
    const ahead = { ...manualClock(), now: () => now + 7_200_000 }
    const headers = { date: new Date(now).toUTCString() }
    const text = answer(name, new Date(now + 3_600_000).toISOString())
    expect(await ask(make({ clock: ahead }), async () => new Response(text, { headers }))).toMatchObject({
      accessKeyId: 'ASIAEXAMPLE',
    })
  })

  test('limits the size of a response', async () => {
    let given = 0
    const endless = new ReadableStream({
      pull: (controller) => {
        given += 16_384
        controller.enqueue(new Uint8Array(16_384).fill(32))
      },
    })
    const error = await rejectionOf(ask(make({ clock: manualClock() }), async () => new Response(endless)))
    expect(error).toMatchObject({ code: 'credentials', message: expect.stringContaining('65536 bytes') })
    expect(given).toBeLessThan(200_000)
  })

  test('shortens a long error message', async () => {
    const said = 'x'.repeat(60_000)
    const body = name === 'fromContainerMetadata' ? JSON.stringify({ message: said }) : `<Message>${said}</Message>`
    const error = await rejectionOf(
      ask(make({ clock: manualClock() }), async () => new Response(body, { status: 400 })),
    )
    expect((error as Error).message.length).toBeLessThan(1_200)
  })

  test('does not follow redirects', async () => {
    const paths: string[] = []
    const server = createServer((request, response) => {
      paths.push(String(request.url))
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    Object.assign(process.env, {
      AWS_ENDPOINT_URL_STS: url,
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '',
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/`,
    })
    try {
      expect(await rejectionOf(ask(make({ clock: manualClock() }), globalThis.fetch))).toMatchObject({
        code: 'credentials',
        message: expect.stringContaining('307'),
      })
      expect(paths).toEqual(['/'])
    } finally {
      server.close()
    }
  })
})

describe('the endpoint of STS', () => {
  const asked = async (variables: Record<string, string>, endpoint?: string): Promise<string[]> => {
    Object.assign(process.env, variables)
    const urls: string[] = []
    const provider = fromAssumeRole({ credentials: keys, roleArn, endpoint, region: 'us-east-1' })
    const error = await rejectionOf(
      provider({
        fetch: async (input) => {
          urls.push(String(input))
          return new Response('<Error/>', { status: 403 })
        },
      }),
    )
    if (isBedrockError(error, 'configuration')) throw error
    return urls
  }

  test.each([
    [{ AWS_ENDPOINT_URL: 'https://gateway.example/aws' }, undefined, 'https://gateway.example/aws/'],
    [
      { AWS_ENDPOINT_URL: 'https://gateway.example', AWS_ENDPOINT_URL_STS: 'https://sts.example' },
      undefined,
      'https://sts.example/',
    ],
    [{ AWS_ENDPOINT_URL_STS: 'https://sts.example' }, 'https://explicit.example', 'https://explicit.example/'],
    [{ AWS_ENDPOINT_URL: 'http://localhost:4566' }, undefined, 'http://localhost:4566/'],
    [
      { AWS_ENDPOINT_URL_STS: 'https://sts.example', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
      undefined,
      'https://sts.us-east-1.amazonaws.com/',
    ],
  ])('for %j and %j is %s', async (variables, endpoint, url) => {
    expect(await asked(variables, endpoint)).toEqual([url])
  })

  test.each([
    'http://gateway.example',
    'http://localhost.evil.example',
    'ftp://127.0.0.1',
    'sts.us-east-1.amazonaws.com',
    'https://user:word@sts.example',
    'https://sts.example/?x=1',
  ])('rejects %s, in the option and the variable', async (url) => {
    await expect(asked({}, url)).rejects.toMatchObject({ code: 'configuration' })
    await expect(asked({ AWS_ENDPOINT_URL_STS: url })).rejects.toMatchObject({
      message: expect.stringContaining('AWS_ENDPOINT_URL_STS'),
    })
  })
})

test.each([
  'arn:aws:iam::123456789012:role/',
  'arn:aws:iam::123456789012:role/a\nb',
  'role',
  `${roleArn}${'r'.repeat(3_000)}`,
])('rejects the role %j', (arn) => {
  expect(() => fromAssumeRole({ credentials: keys, roleArn: arn })).toThrow('roleArn is not the ARN of a role')
})

test('rejects a web identity token that is not a string', async () => {
  const provider = fromWebIdentity({ token: () => 42 as never, roleArn, region: 'us-east-1' })
  await expect(provider()).rejects.toMatchObject({ code: 'credentials' })
})

test("rejects a user in the container's URL, which could look like the host", async () => {
  const env = { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'https://169.254.170.2:x@evil.example/' }
  await expect(fromContainerMetadata({ env })()).rejects.toMatchObject({ code: 'configuration' })
})

test.each(['secret\r\nx-evil: 1', 'secret\u0000', 'secr\u00e9t', 'sécret'])(
  'rejects the container token %j without quoting it',
  async (token) => {
    const env = {
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2',
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/token',
    }
    const error = await rejectionOf(fromContainerMetadata({ env, readToken: async () => token })())
    expect(error).toMatchObject({ code: 'configuration', message: expect.stringContaining('authorization token') })
    expect(everythingOf(error)).not.toMatch(/secret(?!s)|secrét|sécret/)
  },
)

test("does not tell the source of a role that the role's keys were refused", async () => {
  const requests: unknown[] = []
  const provider = fromAssumeRole({
    roleArn,
    clock: manualClock(),
    credentials: async (request) => {
      requests.push(request)
      return keys
    },
  })
  const fetch = async () => new Response(answer('fromAssumeRole', new Date(now + 3_600_000).toISOString()))
  const refused = await provider({ fetch, region: 'us-east-1' })
  await provider({ fetch, region: 'us-east-1', forceRefresh: true, refused })
  expect(requests).toHaveLength(2)
  for (const request of requests) {
    expect(request).toHaveProperty('region', 'us-east-1')
    expect(request).not.toHaveProperty('refused')
    expect(request).not.toHaveProperty('forceRefresh')
  }
})

describe('options of fromAssumeRole', () => {
  const sentOf = async (options: object): Promise<Record<string, string>> => {
    let sent = ''
    const provider = fromAssumeRole({ credentials: keys, roleArn, ...options })
    await provider({
      region: 'us-east-1',
      fetch: async (_, init) => {
        sent = String(init?.body)
        return new Response(answer('fromAssumeRole', '2099-01-01T00:00:00Z'))
      },
    })
    return Object.fromEntries(new URLSearchParams(sent))
  }

  test('are sent only if given', async () => {
    expect(await sentOf({})).toEqual({
      Action: 'AssumeRole',
      Version: '2011-06-15',
      RoleArn: roleArn,
      RoleSessionName: 'outcrop',
      DurationSeconds: '3600',
    })
  })

  test.each<[string, object, object]>([
    ['a role of another partition', { roleArn: 'arn:aws-us-gov:iam::123456789012:role/path/r' }, {}],
    ['the shortest duration', { duration: 900 }, { DurationSeconds: '900' }],
    ['the longest duration', { duration: 43_200 }, { DurationSeconds: '43200' }],
    ['a name with every allowed character', { sessionName: 'aZ09_+=,.@-' }, { RoleSessionName: 'aZ09_+=,.@-' }],
    ['a policy', { policy: '{}' }, { Policy: '{}' }],
    ['an external ID', { externalId: 'agreed-on' }, { ExternalId: 'agreed-on' }],
  ])('accept %s', async (_, options, sent) => {
    expect(await sentOf(options)).toMatchObject(sent)
  })

  test.each<[string, object, RegExp]>([
    ['no credentials', { credentials: undefined }, /needs the credentials/],
    ['an API key as a string', { credentials: 'bedrock-api-key-example' }, /credentials is a string/],
    ['text before an ARN', { roleArn: `x${roleArn}` }, /not the ARN of a role/],
    ['a user', { roleArn: 'arn:aws:iam::123456789012:user/u' }, /not the ARN of a role/],
    ['an ARN with a space', { roleArn: `${roleArn} x` }, /not the ARN of a role/],
    ['a session name with a slash', { sessionName: '/outcrop' }, /sessionName must have 2 to 64/],
    ['a session name with a space', { sessionName: 'outcrop ' }, /sessionName must have 2 to 64/],
    ['a duration that is too short', { duration: 899 }, /900 to 43200/],
    ['a duration that is too long', { duration: 43_201 }, /900 to 43200/],
    ['half a second', { duration: 900.5 }, /900 to 43200/],
    ['an MFA device without a code', { mfaSerial: 'arn:aws:iam::123456789012:mfa/x' }, /mfaSerial needs mfaCode/],
  ])('reject %s at once', (_, options, message) => {
    const make = () => fromAssumeRole({ credentials: keys, roleArn, ...options } as never)
    expect(make).toThrow(expect.objectContaining({ code: 'configuration', message: expect.stringMatching(message) }))
  })

  test('reject an API key from a provider, and do not send it', async () => {
    const error = await rejectionOf(sentOf({ credentials: async () => ({ token: 'recognisable-key' }) }))
    expect(error).toMatchObject({ code: 'credentials', message: expect.stringContaining('cannot assume a role') })
    expect(everythingOf(error)).not.toContain('recognisable')
  })
})

describe('the response of a container', () => {
  const given = { AccessKeyId: 'ASIAEXAMPLE', SecretAccessKey: 'secret-example' }
  const answered = (body: object, status = 200) =>
    fromContainerMetadata()({ fetch: async () => Response.json(body, { status }) })

  test('contributes only its fields to the identity', async () => {
    const identity = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'secret-example' }
    const source = { name: 'container', detail: '169.254.170.2' }
    expect(await answered({ ...given, Token: null, Expiration: '', AccountId: 1 })).toEqual({ ...identity, source })
    const expiration = '2099-01-01T00:00:00.000Z'
    expect(
      await answered({ ...given, Token: 'session-example', Expiration: expiration, AccountId: '123456789012' }),
    ).toEqual({
      ...identity,
      sessionToken: 'session-example',
      expiration: new Date(expiration),
      accountId: '123456789012',
      source,
    })
  })

  test.each<[string, object, number, string]>([
    ['keys with a failure status', given, 500, 'status 500'],
    ['a missing secret', { AccessKeyId: 'ASIAEXAMPLE' }, 200, 'status 200'],
    ['a missing ID', { SecretAccessKey: 'secret-example' }, 200, 'status 200'],
    ['a message', { message: 'no role is attached' }, 404, 'no role is attached'],
    ['a message in another case', { Message: 'no role is attached' }, 404, 'no role is attached'],
  ])('is an error with %s', async (_, body, status, message) => {
    const error = await rejectionOf(answered(body, status))
    expect(error).toMatchObject({ code: 'credentials', message: expect.stringContaining(message) })
  })

  test('is not requested without a URL, so that the next source is tried', async () => {
    expect(await rejectionOf(fromContainerMetadata({ env: {} })())).toMatchObject({ tryNextLink: true })
  })

  test('requires a reader for a token file', async () => {
    const env = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2', AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/token' }
    const error = await rejectionOf(fromContainerMetadata({ env })())
    expect(error).toMatchObject({ code: 'configuration', message: expect.stringContaining('nothing reads it') })
  })
})
