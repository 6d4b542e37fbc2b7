import { describe, expect, test } from 'vitest'
import { manualClock } from '../anthropic/support.ts'
import { body, connect, type Connected, params } from './support.ts'

const openStream = async ({ call }: Connected): Promise<ReadableStreamDefaultReader> =>
  ((await call('/v1/messages', { json: { ...params, stream: true } })).body as ReadableStream).getReader()

describe('a waiting call', () => {
  test('is admitted when another ends, in order of arrival', async () => {
    const clock = manualClock()
    const connected = await connect({ maxConcurrent: 1, maxQueued: 3, clock })
    const { call, gateway, fake } = connected
    const stream = await openStream(connected)
    const answered: string[] = []
    const waiting: Promise<void>[] = []
    for (const name of ['one', 'two', 'three']) {
      const json = { ...params, messages: [{ role: 'user', content: name }] }
      const answer = async (): Promise<void> => {
        const response = await call('/v1/messages', { json })
        await response.text()
        answered.push(`${name} ${response.status}`)
      }
      waiting.push(answer())
      await expect.poll(() => gateway.snapshot().queued).toBe(waiting.length)
    }
    expect(gateway.snapshot()).toMatchObject({ active: 1, queued: 3 })
    expect(fake.calls).toHaveLength(1)
    await stream.cancel()
    await Promise.all(waiting)
    expect(answered).toEqual(['one 200', 'two 200', 'three 200'])
    expect(gateway.snapshot()).toMatchObject({ active: 0, queued: 0 })
    expect([...clock.timers.values()].filter(({ milliseconds }) => milliseconds === 10_000)).toEqual([])
  })

  test('that leaves does not hold up those after it', async () => {
    const connected = await connect({ maxConcurrent: 1 })
    const { call, gateway } = connected
    const stream = await openStream(connected)
    const controller = new AbortController()
    const leaving = call('/v1/messages', { json: params, signal: controller.signal })
    await expect.poll(() => gateway.snapshot().queued).toBe(1)
    const staying = call('/v1/messages', { json: params })
    await expect.poll(() => gateway.snapshot().queued).toBe(2)
    controller.abort()
    expect((await leaving).status).toBe(499)
    await stream.cancel()
    expect((await staying).status).toBe(200)
  })
})

test('a refused call is told why, and when to try again', async () => {
  const clock = manualClock()
  const connected = await connect({ maxConcurrent: 1, maxQueued: 1, queueTimeout: 10, clock })
  const { call, gateway } = connected
  const stream = await openStream(connected)
  const late = call('/v1/messages', { json: params })
  await expect.poll(() => gateway.snapshot().queued).toBe(1)
  const full = await call('/v1/messages', { json: params })
  clock.pass(10)
  for (const [response, reason] of [
    [full, 'too many requests are waiting'],
    [await late, 'no call ended within 10 ms'],
  ] as const) {
    expect([response.status, response.headers.get('x-should-retry'), response.headers.get('retry-after')]).toEqual([
      529,
      'true',
      '1',
    ])
    expect(await response.text()).toContain(reason)
  }
  await stream.cancel()
})

describe("an error on Bedrock's API has a type of AWS", () => {
  test.each<[string, number, string]>([
    ['ValidationException', 405, 'PUT'],
    ['UnrecognizedClientException', 401, 'POST'],
  ])('%s for status %d', async (type, status, method) => {
    const { call } = await connect()
    const headers = status === 401 ? { 'x-api-key': 'wrong' } : {}
    const response = await call('/model/sonnet/invoke', { method, body: JSON.stringify(body), headers })
    expect([response.status, response.headers.get('x-amzn-errortype')]).toEqual([status, type])
  })

  test('InternalServerException for status 500', async () => {
    const authenticate = () => {
      throw new Error('the directory is down')
    }
    const { call } = await connect({ authenticate })
    const response = await call('/model/sonnet/invoke', { json: body })
    expect([response.status, response.headers.get('x-amzn-errortype')]).toEqual([500, 'InternalServerException'])
  })
})

test('a body nested too deeply is not an internal error for a caller with limits', async () => {
  const { call } = await connect({ caller: { limits: { tokensPerMinute: 100_000 } } })
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  for (const [field, value] of [
    ['metadata', 0],
    ['system', 0],
  ] as const) {
    const text = JSON.stringify({ model: 'sonnet', ...body, [field]: value }).replace(
      `"${field}":0`,
      `"${field}":${deep}`,
    )
    for (const path of ['/model/sonnet/invoke', '/v1/messages']) {
      const { status } = await call(path, { method: 'POST', body: text })
      expect([path, field, status < 500]).toEqual([path, field, true])
    }
  }
})
