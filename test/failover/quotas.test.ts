import type { MessageParam } from 'outcrop'
import { promptCaching } from 'outcrop/caching'
import type { FailoverTargets } from 'outcrop/failover'
import type { FakeBedrockOptions } from 'outcrop/testing'
import { expect, test } from 'vitest'
import { minutes, params, route, setUp } from './support.ts'

const model = 'anthropic.claude-sonnet-4-6'
const globalSonnet = `global.${model}`

test('a global profile has its own quota', async () => {
  const quotas = [
    { model, requestsPerMinute: 1 },
    { model, bucket: 'global' as const, requestsPerMinute: 1 },
  ]
  const { withTargets, time } = setUp({ fakes: { quotas } })
  const bedrock = withTargets([{ model: globalSonnet, residency: 'anywhere' }])
  const call = async (): Promise<string> => route((await bedrock.messages.create(params)).metadata)
  expect(await call()).toBe('primary (preferred)')
  expect(await call()).toBe(`primary (throttled) > ${globalSonnet} (failed)`)
  time.now += minutes(6)
  expect(await call()).toBe('primary (preferred)')
})

test('the daily quota belongs to one Region', async () => {
  const { withTargets } = setUp({ fakes: { tokensPerDay: 500, reply: 'Hello' } })
  const bedrock = withTargets(['haiku', { region: 'us-west-2' }])
  const large = { ...params, max_tokens: 450 }
  await Promise.all([bedrock.messages.create(large), bedrock.messages.create(large)]).then((messages) => {
    const routes = messages.map(({ metadata }) => route(metadata))
    expect(routes.sort()).toEqual(['primary (daily-quota) > us-west-2 (failed)', 'primary (preferred)'])
  })
})

/** The share of what conversations had said before that was read from a cache; and how many calls were refused. */
async function converse(targets: FailoverTargets, fakes: FakeBedrockOptions) {
  const { withTargets, at, time } = setUp({
    fakes: { ...fakes, reply: 'Yes. '.repeat(40) },
    middleware: [promptCaching()],
  })
  const bedrock = withTargets(targets)
  const conversations = Array.from({ length: 12 }, (_, i) => ({
    system: `Conversation ${i}. `.repeat(600),
    messages: [] as MessageParam[],
    known: 0,
  }))
  let read = 0
  let known = 0
  for (let turn = 0; turn < 8; turn++) {
    for (const conversation of conversations) {
      const { system, messages } = conversation
      messages.push({ role: 'user', content: 'Is it so? '.repeat(20) })
      const message = await bedrock.messages.create({ model: 'sonnet', max_tokens: 500, system, messages })
      messages.push({ role: 'assistant', content: message.content })
      const { cacheReadInputTokens = 0, cacheWriteInputTokens = 0 } = message.metadata.usage
      read += cacheReadInputTokens
      known += conversation.known
      conversation.known = cacheReadInputTokens + cacheWriteInputTokens
      time.now += 4000
    }
  }
  const answers = ['us-east-1', 'us-west-2'].flatMap((region) => at(region).calls.map(({ status }) => status))
  return { share: read / known, refused: answers.filter((status) => status === 429).length }
}

test('throttled conversations keep their caches, within 5 points of a single Region', async () => {
  const single = await converse([{ region: 'us-west-2' }], {})
  expect(single).toMatchObject({ refused: 0, share: expect.closeTo(1, 1) })
  const quotas = [{ model, tokensPerMinute: 25_000 }]
  const ordered = await converse([{ region: 'us-west-2' }], { quotas })
  const equals = await converse([[{}, { region: 'us-west-2' }]], { quotas })
  expect(ordered.refused).toBeGreaterThan(0)
  for (const { share } of [ordered, equals]) {
    expect(share).toBeGreaterThan(single.share - 0.05)
    expect(share).toBeLessThanOrEqual(1)
  }
})
