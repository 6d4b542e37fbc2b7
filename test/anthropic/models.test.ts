import { createBedrockClient } from 'outcrop'
import { describe, expect, test } from 'vitest'
import { connect } from './support.ts'

const base = 'https://api.anthropic.com/v1/models'
type Page = {
  data: { id: string; lifecycle: string }[]
  has_more: boolean
  first_id: string | null
  last_id: string | null
}
const get = async (fetch: typeof globalThis.fetch, query = ''): Promise<Page> => (await fetch(`${base}${query}`)).json()
const idsOf = (page: Page): string[] => page.data.map(({ id }) => id)

describe('GET /v1/models', () => {
  test('lists the callable models by callable names, newest first', async () => {
    const { fetch, bedrock } = connect()
    const page = await get(fetch, '?limit=1000')
    const ids = idsOf(page)
    expect(page).toMatchObject({ has_more: false, first_id: ids[0], last_id: ids.at(-1) })
    for (const id of ids) {
      expect(id).toMatch(/^claude-/)
      expect((await bedrock.models.resolve(id)).base).toContain(id)
    }
    expect(ids.indexOf('claude-opus-5')).toBeLessThan(ids.indexOf('claude-opus-4-6'))
    expect(ids).toContain('claude-haiku-4-5-20251001')
    expect(page.data[0]).toEqual({
      type: 'model',
      id: 'claude-haiku-5-5',
      display_name: 'Claude Haiku 5.5',
      created_at: '2026-10-07T00:00:00Z',
      lifecycle: 'active',
      deprecated_at: null,
      retires_at: null,
      line: 'haiku',
      max_input_tokens: null,
      max_tokens: null,
      capabilities: null,
    })
  })

  test('has the known properties of a model', async () => {
    const { fetch } = connect()
    const model = await (await fetch(`${base}/claude-opus-5`)).json()
    expect(model).toMatchObject({
      max_input_tokens: 1_000_000,
      max_tokens: 128_000,
      capabilities: {
        batch: { supported: false },
        structured_outputs: { supported: false },
        thinking: { types: { adaptive: { supported: true }, enabled: { supported: false } } },
        effort: { supported: true },
        server_tools: { supported: false },
        context_management: { compact_20260112: { supported: false }, clear_tool_uses_20250919: null },
      },
    })
    const older = await (await fetch(`${base}/claude-opus-4-6`)).json()
    expect(older.capabilities.context_management.compact_20260112).toEqual({ supported: true })
  })

  test('respects residency and the list of available models', async () => {
    const narrow = connect({}, {}, { models: { availableModels: ['haiku', 'claude-opus-4-6'] } })
    const ids = idsOf(await get(narrow.fetch))
    expect(ids).toContain('claude-opus-4-6')
    expect(ids.every((id) => /haiku|opus-4-6/.test(id))).toBe(true)
    const elsewhere = connect({}, {}, { models: { residency: 'eu' } })
    expect(await get(elsewhere.fetch)).toEqual({ data: [], has_more: false, first_id: null, last_id: null })
  })

  test("lists the account's models with discovery, also unknown ones", async () => {
    const arn = 'arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc'
    const models = {
      systemProfiles: ['us.anthropic.claude-sonnet-4-6', 'us.anthropic.claude-opus-9', 'us.amazon.nova-lite-v1:0'],
      applicationProfiles: { [arn]: 'anthropic.claude-sonnet-4-6' },
    }
    const { fetch } = connect({ models }, {}, { models: { discovery: true } })
    const page = await get(fetch)
    expect(idsOf(page)).toEqual(['claude-opus-9', 'claude-sonnet-4-6'])
    expect(page.data[0]).toMatchObject({
      created_at: '1970-01-01T00:00:00Z',
      display_name: 'Claude Opus 9',
      capabilities: null,
    })
    expect(JSON.stringify(page)).not.toContain('123456789012')
  })

  test('pages forwards and backwards', async () => {
    const { fetch } = connect()
    const all = idsOf(await get(fetch, '?limit=1000'))
    const first = await get(fetch, '?limit=4')
    expect(idsOf(first)).toEqual(all.slice(0, 4))
    expect(first).toMatchObject({ has_more: true, first_id: all[0], last_id: all[3] })
    expect(idsOf(await get(fetch, `?limit=4&after_id=${all[3]}`))).toEqual(all.slice(4, 8))
    const back = await get(fetch, `?limit=2&before_id=${all[4]}`)
    expect(idsOf(back)).toEqual(all.slice(2, 4))
    expect(back.has_more).toBe(true)
    expect((await get(fetch, `?limit=2&before_id=${all[2]}`)).has_more).toBe(false)
    expect((await get(fetch, `?after_id=${all.at(-1)}`)).data).toEqual([])
    expect(idsOf(await get(fetch))).toEqual(all.slice(0, 20))
  })

  test('filters by lifecycle', async () => {
    const { fetch } = connect()
    const lifecycles = (page: Page) => new Set(page.data.map(({ lifecycle }) => lifecycle))
    expect(lifecycles(await get(fetch))).toEqual(new Set(['active', 'deprecated']))
    expect(lifecycles(await get(fetch, '?lifecycle=retired'))).toEqual(new Set(['retired']))
    expect(lifecycles(await get(fetch, '?lifecycle[]=retired&lifecycle[]=deprecated'))).toEqual(
      new Set(['retired', 'deprecated']),
    )
  })

  test.each(['?limit=0', '?limit=1001', '?limit=ten', '?limit=1.5', '?after_id=nobody', '?lifecycle=unborn'])(
    'refuses %s',
    async (query) => {
      const { fetch } = connect()
      const response = await fetch(`${base}${query}`)
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
    },
  )
})

describe('GET /v1/models/{id}', () => {
  test.each([
    'claude-sonnet-4-6',
    'sonnet',
    'default',
    'us.anthropic.claude-sonnet-4-6',
    encodeURIComponent('arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6'),
  ])('resolves %s', async (name) => {
    const { fetch } = connect()
    expect(await (await fetch(`${base}/${name}`)).json()).toMatchObject({ id: 'claude-sonnet-4-6', type: 'model' })
  })

  test('answers 404 for an unknown model, or one that is not Claude', async () => {
    const { fetch } = connect()
    for (const name of ['sonet', 'amazon.nova-lite-v1:0', '%20', 'a'.repeat(5000)]) {
      const response = await fetch(`${base}/${name}`)
      expect(response.status).toBe(404)
      expect(await response.json()).toMatchObject({ error: { type: 'not_found_error' } })
    }
  })

  test('answers without a Region', async () => {
    const { anthropicFetch } = await import('outcrop/anthropic')
    const bedrock = createBedrockClient({ credentials: 'none', fetch: async () => Response.error() })
    const response = await anthropicFetch(bedrock)(base)
    expect(await response.json()).toMatchObject({ type: 'error' })
  })
})
