import { ConnectionError } from 'outcrop'
import { failover } from 'outcrop/failover'
import { describe, expect, test } from 'vitest'
import { minutes, params, route, setUp } from './support.ts'

const west = { region: 'us-west-2' }
const of = (session: string) => ({ headers: { 'x-claude-code-session-id': session } })
const byTheHour = [
  { type: 'text' as const, text: 'You are kind.', cache_control: { type: 'ephemeral', ttl: '1h' } as const },
]

describe('a conversation', () => {
  test('stays at its new target after a throttle, for longer than its cache lives, and then returns', async () => {
    const { withTargets, at, time } = setUp()
    const bedrock = withTargets([west])
    const call = async (): Promise<string> => route((await bedrock.messages.create(params)).metadata)
    at('us-east-1').fail('throttling', { times: 2 })
    expect(await call()).toBe('primary (throttled) > us-west-2 (failed)')
    time.now += minutes(5) + 59_000
    expect(await call()).toBe('us-west-2 (moved)')
    time.now += 1000
    expect(await call()).toBe('primary (preferred)')
  })

  test('stays for more than an hour with a cache of an hour', async () => {
    for (const cached of [
      { system: byTheHour },
      { messages: [{ role: 'user' as const, content: byTheHour }] },
      { cache_control: { type: 'ephemeral', ttl: '1h' } as const },
      {
        tools: [
          {
            name: 'weather',
            input_schema: { type: 'object' },
            cache_control: { type: 'ephemeral', ttl: '1h' } as const,
          },
        ],
      },
    ]) {
      const { withTargets, at, time } = setUp()
      const bedrock = withTargets([west])
      const call = async (): Promise<string> =>
        route((await bedrock.messages.create({ ...params, ...cached } as never)).metadata)
      at('us-east-1').fail('throttling', { times: 2 })
      await call()
      time.now += minutes(60)
      expect(await call()).toBe('us-west-2 (moved)')
      time.now += minutes(1)
      expect(await call()).toBe('primary (preferred)')
    }
  })

  test('returns after returnAfter', async () => {
    const { withTargets, at, time } = setUp()
    const bedrock = withTargets([west], { returnAfter: 1000 })
    at('us-east-1').fail('throttling', { times: 2 })
    await bedrock.messages.create(params)
    time.now += 1000
    expect(route((await bedrock.messages.create(params)).metadata)).toBe('primary (preferred)')
  })

  test('moves alone after a throttle, while the others succeed', async () => {
    const { withTargets, at } = setUp()
    const bedrock = withTargets([west])
    const call = async (session: string): Promise<string> =>
      route((await bedrock.messages.create(params, of(session))).metadata)
    at('us-east-1').fail('throttling', { times: 2 })
    expect(await call('one')).toBe('primary (throttled) > us-west-2 (failed)')
    expect(await call('two')).toBe('primary (preferred)')
    expect(await call('one')).toBe('us-west-2 (moved)')
  })

  test("is identified by Claude Code's session, else the user, else tools and system, else the first message", async () => {
    const first = { role: 'user' as const, content: 'Hi' }
    const last = { role: 'user' as const, content: 'And now?' }
    const turns = [first, { role: 'assistant' as const, content: 'Hello' }, last]
    const same: [object, object, object?][] = [
      [{ system: 'a' }, { system: 'b' }, of('session')],
      [
        { system: 'a', metadata: { user_id: 'user' } },
        { system: 'b', metadata: { user_id: 'user' } },
      ],
      [
        { system: 'a', messages: [first] },
        { system: 'a', messages: [last] },
      ],
      [{ messages: [first] }, { messages: turns }],
    ]
    for (const [one, other, options] of same) {
      const { withTargets, at } = setUp()
      const bedrock = withTargets([west])
      at('us-east-1').fail('throttling', { times: 2 })
      await bedrock.messages.create({ ...params, ...one }, options)
      expect(route((await bedrock.messages.create({ ...params, ...other }, options)).metadata)).toBe(
        'us-west-2 (moved)',
      )
      const stranger = { ...params, system: 'of another', metadata: { user_id: 'another' } }
      expect(route((await bedrock.messages.create(stranger)).metadata)).toBe('primary (preferred)')
    }
  })

  test('is separate for each model: a throttled model moves no other one', async () => {
    const { withTargets, at } = setUp()
    const bedrock = withTargets([west])
    at('us-east-1').fail('throttling', { times: 2 })
    await bedrock.messages.create(params, of('one'))
    const haiku = await bedrock.messages.create({ ...params, model: 'haiku' }, of('one'))
    expect(route(haiku.metadata)).toBe('primary (preferred)')
  })

  test('moves on if its second target fails, and back if only the first is left', async () => {
    const { withTargets, at } = setUp()
    const bedrock = withTargets([west])
    const call = async (): Promise<string> => route((await bedrock.messages.create(params)).metadata)
    at('us-east-1').fail('throttling', { times: 2 })
    await call()
    at('us-west-2').fail('throttling', { times: 2 })
    expect(await call()).toBe('us-west-2 (throttled) > primary (failed)')
    expect(await call()).toBe('primary (preferred)')
  })
})

describe('a target', () => {
  test.each(['unavailable', 'connection-refused'] as const)(
    'is skipped by all conversations for its cooldown after %s',
    async (fault) => {
      const { withTargets, at, time, callsAt, log } = setUp()
      const bedrock = withTargets([west])
      const call = async (session: string): Promise<string> =>
        route((await bedrock.messages.create(params, of(session))).metadata)
      at('us-east-1').fail(fault, { times: 2 })
      await call('one')
      expect(await call('two')).toBe('us-west-2 (cooldown)')
      expect(log).toEqual([expect.stringContaining('The failover target primary is passed over')])
      time.now += 29_999
      expect(await call('three')).toBe('us-west-2 (cooldown)')
      time.now += 1
      expect(await call('four')).toBe('primary (preferred)')
      // Who met the cooldown has a cache elsewhere now, and stays with it.
      expect(await call('two')).toBe('us-west-2 (moved)')
      expect(callsAt('us-east-1').length).toBeGreaterThan(0)
    },
  )

  test('is skipped for its retry-after, up to a limit', async () => {
    for (const [header, wait] of [
      ['45', 45_000],
      ['999999999', minutes(60)],
    ] as const) {
      const { withTargets, at, time } = setUp()
      const bedrock = withTargets([west], { cooldown: 0 })
      const call = async (session: string): Promise<string> =>
        route((await bedrock.messages.create(params, of(session))).metadata)
      at('us-east-1').fail('throttling', { headers: { 'retry-after': header } })
      await call('one')
      time.now += wait - 1
      expect(await call('two')).toBe('us-west-2 (cooldown)')
      time.now += 1
      expect(await call('three')).toBe('primary (preferred)')
    }
  })

  test('is skipped by all conversations after three throttled calls in a row', async () => {
    const { withTargets, at, callsAt } = setUp()
    const bedrock = withTargets([west])
    at('us-east-1').fail('throttling', { times: 100 })
    for (let i = 0; i < 10; i++) await bedrock.messages.create(params, of(`session ${i}`))
    expect(callsAt('us-east-1')).toHaveLength(6)
  })

  test('is tried during its cooldown if the others fail, the soonest to end first', async () => {
    const { withTargets, at, time, callsAt } = setUp()
    const bedrock = withTargets([west, { region: 'us-east-2' }])
    for (const region of ['us-east-1', 'us-west-2', 'us-east-2']) {
      at(region).fail('unavailable', { times: region === 'us-east-2' ? 3 : 2 })
      time.now += 1
    }
    await bedrock.messages.create(params, of('one')).catch(() => {})
    for (const region of ['us-east-1', 'us-west-2', 'us-east-2']) at(region).reset()
    at('us-east-1').fail('unavailable', { times: 2 })
    expect(route((await bedrock.messages.create(params, of('two'))).metadata)).toBe(
      'primary (unavailable) > us-west-2 (failed)',
    )
    expect(callsAt('us-east-2')).toEqual([])
  })

  test('is skipped for an hour beyond its daily quota, with its account and Region', async () => {
    const { withTargets, at, time, callsAt } = setUp()
    const bedrock = withTargets(['haiku', west])
    at('us-east-1').fail('throttling-per-day')
    await bedrock.messages.create(params, of('one'))
    expect(route((await bedrock.messages.create(params, of('two'))).metadata)).toBe('us-west-2 (cooldown)')
    expect(callsAt('us-east-1')).toHaveLength(1)
    time.now += minutes(60)
    expect(route((await bedrock.messages.create(params, of('three'))).metadata)).toBe('primary (preferred)')
  })

  test('learns nothing from countTokens', async () => {
    const { withTargets, at } = setUp()
    const bedrock = withTargets([west])
    at('us-east-1').fail('unavailable', { times: 2, operation: 'CountTokens' })
    await bedrock.messages.countTokens(params)
    expect(route((await bedrock.messages.create(params)).metadata)).toBe('primary (preferred)')
  })
})

describe('targets in an inner list', () => {
  const regions = ['us-east-1', 'us-west-2', 'us-east-2']
  const spread = [[{ name: 'us-east-1' }, west, { region: 'us-east-2' }]]

  test('share conversations evenly, and keep each one', async () => {
    const { withTargets, callsAt } = setUp()
    const bedrock = withTargets(spread)
    const seen = new Map<string, string>()
    for (let i = 0; i < 300; i++) {
      const { metadata } = await bedrock.messages.create(params, of(`session ${i}`))
      expect(metadata.failover?.reason).toBe('preferred')
      seen.set(`session ${i}`, metadata.failover?.target ?? '')
    }
    // Binomial: 100 expected of 300, and 8 the standard deviation.
    for (const region of regions) expect(Math.abs(callsAt(region).length - 100)).toBeLessThan(40)
    const again = setUp().withTargets(spread)
    for (const [session, target] of [...seen].slice(0, 50))
      expect((await again.messages.create(params, of(session))).metadata.failover?.target).toBe(target)
  })

  test('lose only their own conversations when one fails', async () => {
    const two = setUp().withTargets([[{ name: 'us-east-1' }, west]])
    const three = setUp().withTargets(spread)
    for (let i = 0; i < 60; i++) {
      const options = of(`session ${i}`)
      const before = (await three.messages.create(params, options)).metadata.failover?.target
      const after = (await two.messages.create(params, options)).metadata.failover?.target
      if (before !== 'us-east-2') expect(after).toBe(before)
    }
  })

  test('come before later targets of the list', async () => {
    const { withTargets, at } = setUp()
    const bedrock = withTargets([...spread, { model: 'haiku' }])
    for (const region of regions) at(region).fail('unavailable', { times: 2, model: 'sonnet' })
    const { metadata } = await bedrock.messages.create(params)
    expect(metadata.failover).toMatchObject({ target: 'haiku', tried: [{}, {}, {}] })
  })
})

test('remembers the last 10,000 conversations that moved', async () => {
  const { base, time } = setUp()
  let isAway = true
  const bedrock = base.withOptions({
    middleware: [
      failover([west]),
      async (_, __, { model, region }) => {
        if (isAway && region === 'us-east-1') throw new ConnectionError('away')
        const metadata = { requestId: undefined, status: 200, headers: {}, attempts: 1, model, usage: {}, latency: 0 }
        return { type: 'json', body: { type: 'message', content: [] }, metadata }
      },
    ],
  })
  const call = async (i: number): Promise<string> =>
    route((await bedrock.messages.create(params, of(`session ${i}`))).metadata)
  for (let i = 0; i <= 10_000; i++) await call(i)
  isAway = false
  time.now += 30_000
  expect(await call(0)).toBe('primary (preferred)')
  expect(await call(1)).toBe('us-west-2 (moved)')
  expect(await call(10_000)).toBe('us-west-2 (moved)')
})

test('places concurrent calls separately', async () => {
  const { withTargets, at, callsAt } = setUp()
  const bedrock = withTargets([west])
  at('us-east-1').fail('throttling', { times: 4 })
  const calls = Array.from({ length: 20 }, (_, i) => bedrock.messages.create(params, of(`session ${i}`)))
  const routes = (await Promise.all(calls)).map(({ metadata }) => route(metadata))
  expect(routes.filter((each) => each.startsWith('primary (throttled)')).length).toBeLessThanOrEqual(4)
  expect(callsAt('us-west-2').length + callsAt('us-east-1').length).toBeGreaterThanOrEqual(20)
})
