import { getEventListeners } from 'node:events'
import { type BedrockCoreClient, type CoreClientOptions, createBedrockClient } from 'outcrop/core'
import { describe, expect, test, vi } from 'vitest'
import { capturingFetch, keys } from './capture.ts'

/** A clock whose retries follow at once, and which writes down the timers that are running. */
function openClock() {
  const running = new Map<object, number>()
  return {
    running,
    now: () => Date.now(),
    setTimeout(callback: () => void, milliseconds: number) {
      const handle = {}
      if (milliseconds < 1000) setTimeout(callback, 0)
      else running.set(handle, milliseconds)
      return handle
    },
    clearTimeout: (handle: unknown) => void running.delete(handle as object),
  }
}

function client(fetch: typeof globalThis.fetch, options: CoreClientOptions = {}): BedrockCoreClient {
  return createBedrockClient({
    region: 'us-east-1',
    credentials: keys,
    clock: openClock(),
    random: () => 0,
    fetch,
    ...options,
  })
}

describe('the request', () => {
  test('is a GET without a body, else a POST, unless it says otherwise', async () => {
    const { fetch, requests } = capturingFetch()
    const bedrock = client(fetch)
    await bedrock.fetch('/inference-profiles')
    await bedrock.fetch('/model/m/invoke', { body: '' })
    await bedrock.fetch('/model/m/invoke', { body: '{}', method: 'PUT' })
    await bedrock.fetch('/guardrails/g', { method: 'DELETE' })
    expect(requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'PUT', 'DELETE'])
  })

  test.each([
    ['/model/m/invoke', 'bedrock-runtime'],
    ['/guardrail/g/version/1/apply', 'bedrock-runtime'],
    ['/guardrail-checks', 'bedrock-runtime'],
    ['/async-invoke?maxResults=1', 'bedrock-runtime'],
    ['/models', 'bedrock'],
    ['/guardrails/g', 'bedrock'],
    ['/async-invokes', 'bedrock'],
    ['/foundation-models/model/m', 'bedrock'],
  ])('%s goes to the host %s', async (path, host) => {
    const { fetch, requests } = capturingFetch()
    await client(fetch).fetch(path)
    expect(requests[0]?.url).toBe(`https://${host}.us-east-1.amazonaws.com${path}`)
  })

  test.each([
    'model/m/invoke',
    '',
    '@evil.example/',
    '.evil.example/',
    ':9/',
    '/../other',
    '/a/../../other',
    '/%2e%2e/o',
  ])('does not leave the endpoint: %j', async (path) => {
    const { fetch, requests } = capturingFetch()
    await expect(client(fetch, { endpoint: 'https://gateway.example/base' }).fetch(path)).rejects.toMatchObject({
      code: 'configuration',
      message: `${JSON.stringify(path)} is not a path below the endpoint`,
      hint: 'Begin it with a slash.',
    })
    expect(requests).toEqual([])
  })
})

describe('the response', () => {
  test.each<[string, object, number]>([
    ['without retries by default', {}, 1],
    ["with retry: true, after the client's retries", { retry: true }, 4],
    ['with its own retry, after those', { retry: { attempts: 2 } }, 2],
    ['with retry: false, at once', { retry: false }, 1],
  ])('of a failure is returned with its body: %s', async (_, init, count) => {
    const { fetch, requests } = capturingFetch(
      () => new Response('not now', { status: 503, headers: { 'x-served-by': 'a' } }),
    )
    const response = await client(fetch, { retry: { attempts: 4 } }).fetch('/inference-profiles', init)
    expect([response.status, await response.text()]).toEqual([503, 'not now'])
    expect(response.headers.get('x-served-by')).toBe('a')
    expect(requests).toHaveLength(count)
  })

  test('of an earlier attempt is not returned if the last one got no response', async () => {
    let attempts = 0
    const fetch: typeof globalThis.fetch = async () => {
      if (++attempts === 1) return new Response('not now', { status: 503 })
      throw new TypeError('fetch failed')
    }
    const call = client(fetch).fetch('/inference-profiles', { retry: true })
    await expect(call).rejects.toMatchObject({ code: 'connection', attempts: 3 })
  })

  test('of a failure that a retry cannot help is returned at once', async () => {
    const { fetch, requests } = capturingFetch(() => new Response('wrong', { status: 400 }))
    const response = await client(fetch).fetch('/inference-profiles', { retry: true })
    expect([response.status, await response.text(), requests.length]).toEqual([400, 'wrong', 1])
  })

  test('that refuses the credentials leads to one replay with new ones, even without retries', async () => {
    const refusal = { message: 'The security token included in the request is expired' }
    const credentials = vi.fn(async ({ forceRefresh = false } = {}) =>
      forceRefresh ? keys : { ...keys, accessKeyId: 'AKIDEXAMPLEOLD' },
    )
    const sent: string[] = []
    const fetch: typeof globalThis.fetch = async (_, init) => {
      const authorization = new Headers(init?.headers).get('authorization') ?? ''
      sent.push(authorization)
      return authorization.includes('OLD') ? Response.json(refusal, { status: 403 }) : Response.json({ answer: 42 })
    }
    const response = await client(fetch, { credentials }).fetch('/inference-profiles')
    expect([response.status, await response.json(), sent.length]).toEqual([200, { answer: 42 }, 2])

    const only = await client(fetch, { credentials: async () => ({ ...keys, accessKeyId: 'AKIDEXAMPLEOLD' }) })
    const refused = await only.fetch('/inference-profiles')
    expect([refused.status, await refused.json()]).toEqual([403, refusal])
  })

  test('has status 502 if a browser hides the status of a redirect', async () => {
    const { fetch } = capturingFetch(() => Response.error())
    expect((await client(fetch).fetch('/inference-profiles')).status).toBe(502)
  })

  test('has the response timeout of a stream', async () => {
    const clock = openClock()
    const fetch = vi.fn(async () => {
      expect([...clock.running.values()]).toEqual([300_000])
      return Response.json({})
    })
    await client(fetch, { clock }).fetch('/inference-profiles')
    expect(fetch).toHaveBeenCalledOnce()
  })
})

describe('the timers and the signal of a call are released', () => {
  const endless = (): { response: Response; cancelled: () => boolean } => {
    let isCancelled = false
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(8)),
      cancel: () => {
        isCancelled = true
      },
    })
    return { response: new Response(body), cancelled: () => isCancelled }
  }
  async function open(answer: Response) {
    const clock = openClock()
    const { signal } = new AbortController()
    const timeout = { total: 9_999 }
    const response = await client(async () => answer, { clock, timeout }).fetch('/inference-profiles', { signal })
    const isHeld = (): boolean => clock.running.size > 0 || getEventListeners(signal as never, 'abort').length > 0
    return { response, isHeld }
  }

  test('if the response has no body', async () => {
    const { isHeld } = await open(new Response(null, { status: 204 }))
    expect(isHeld()).toBe(false)
  })

  test('at the end of the body, not before', async () => {
    const { response, isHeld } = await open(Response.json({}))
    expect(isHeld()).toBe(true)
    await response.json()
    expect(isHeld()).toBe(false)
  })

  test('when the reader cancels, which closes the connection', async () => {
    const { response: endlessResponse, cancelled } = endless()
    const { response, isHeld } = await open(endlessResponse)
    expect(isHeld()).toBe(true)
    await response.body?.cancel()
    expect([isHeld(), cancelled()]).toEqual([false, true])
  })
})
