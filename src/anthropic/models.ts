import { compatibilityKey, compatibilityTable, hasBeta } from '../compatibility/table.ts'
import { isBedrockError } from '../core/errors.ts'
import { parseModelId } from '../core/model-id.ts'
import type { JsonObject } from '../core/types.ts'
import { type CatalogModel, catalog, catalogModel } from '../models/catalog.ts'
import { anthropicIdOf } from '../models/names.ts'
import type { AnthropicBackend } from './backend.ts'
import { RefusedRequest } from './errors.ts'
import { jsonResponse } from './messages.ts'

type Lifecycle = 'active' | 'deprecated' | 'retired'
const lifecycles: Readonly<Record<CatalogModel['lifecycle']['state'], Lifecycle>> = {
  active: 'active',
  gated: 'active',
  legacy: 'deprecated',
  retired: 'retired',
}

/** Answers `GET /v1/models`: the Claude models that the client may call, by Anthropic's IDs. */
export async function listModels(bedrock: AnthropicBackend, query: URLSearchParams): Promise<Response> {
  const wanted = lifecyclesOf(query)
  const models = [...(await callable(bedrock)), ...catalog.map(({ base }) => base).filter(isRetired)]
    .map((base) => modelInfo(base))
    .filter(({ lifecycle }) => wanted.includes(lifecycle as Lifecycle))
  const { page, hasMore } = pageOf(models, query)
  return jsonResponse({
    data: page,
    has_more: hasMore,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  })
}

/** Answers `GET /v1/models/{id}`, for any name that the client accepts. */
export async function getModel(bedrock: AnthropicBackend, name: string): Promise<Response> {
  const { base } = await bedrock.models.resolve(name)
  if (base && !isClaude(base)) throw new RefusedRequest(404, `model: ${name} is not a model of Anthropic`)
  return jsonResponse(modelInfo(base ?? name))
}

/** Returns the base models that can be called by their own names, newest first, as far as known. */
async function callable({ models }: AnthropicBackend): Promise<string[]> {
  if (!models.list) {
    throw new RefusedRequest(404, 'This client cannot list models: it takes full model IDs. One of `outcrop` can.')
  }
  const profiles = await models.list()
  const bases = new Set(profiles.flatMap(({ base, status = 'ACTIVE' }) => (base && status === 'ACTIVE' ? base : [])))
  const usable = await Promise.all(
    [...bases].filter(isClaude).map(async (base) => {
      try {
        // Applies the resolver's rules: residency and the allow-list.
        const { base: resolved } = await models.resolve(anthropicIdOf(base))
        return resolved === base ? [base] : []
      } catch (error) {
        if (isBedrockError(error, 'model_resolution')) return []
        throw error
      }
    }),
  )
  // Models that the catalog does not know are newer than those that it knows.
  const age = (base: string): number => catalog.findIndex((model) => model.base === base)
  return usable.flat().sort((a, b) => age(a) - age(b))
}

function isClaude(base: string): boolean {
  return base.startsWith('anthropic.')
}

function isRetired(base: string): boolean {
  return catalogModel(base)?.lifecycle.state === 'retired'
}

/** Describes a model as Anthropic's API does; unknown values are `null`. */
function modelInfo(base: string): JsonObject & { readonly id: string } {
  const known = catalogModel(base)
  const { family, version } = known ?? parseModelId(base)
  const { state = 'active', released, endOfLife } = known?.lifecycle ?? {}
  return {
    type: 'model',
    id: isClaude(base) ? anthropicIdOf(base) : base,
    display_name: family ? ['Claude', family[0]?.toUpperCase() + family.slice(1), version].join(' ').trim() : base,
    // The epoch means that the date is unknown.
    created_at: midnight(released ?? '1970-01-01'),
    lifecycle: lifecycles[state],
    deprecated_at: null,
    retires_at: endOfLife ? midnight(endOfLife) : null,
    line: catalog.find((row) => row.family === family)?.family ?? null,
    max_input_tokens: known?.contextWindow ?? null,
    max_tokens: known?.maxOutput ?? null,
    capabilities: capabilitiesOf(family, version),
  }
}

function midnight(day: string): string {
  return `${day}T00:00:00Z`
}

/**
 * Returns what the model supports on Bedrock, from the compatibility table. Undocumented features count as unsupported,
 * or are `null` if the API allows that; thinking can be turned off unless the documentation says otherwise.
 */
function capabilitiesOf(family: string | undefined, version: string | undefined): JsonObject | null {
  const key = compatibilityKey({ family, version })
  const row = compatibilityTable[key]
  // Assumptions about a model are not published.
  const model = row?.source ? undefined : row
  if (!model) return null
  const is = (supported: boolean): JsonObject => ({ supported })
  const effort = is(model.effort === 'yes' || model.effort === 'beta')
  return {
    batch: is(false),
    citations: is(true),
    code_execution: is(false),
    context_management: {
      supported: true,
      clear_thinking_20251015: null,
      clear_tool_uses_20250919: null,
      compact_20260112: is(hasBeta(key, 'compact-2026-01-12')),
    },
    effort: { ...effort, low: effort, medium: effort, high: effort, max: is(false), xhigh: null },
    image_input: is(true),
    pdf_input: is(true),
    server_tools: { supported: false, code_execution: is(false), web_search: is(false) },
    structured_outputs: is(model.structuredOutputs === 'yes'),
    thinking: {
      supported: true,
      types: {
        adaptive: is(model.adaptiveThinking === 'yes'),
        enabled: is(model.budgetThinking === 'yes'),
        disabled: is(model.disabledThinking !== 'no'),
        between_tools: is(false),
      },
    },
  }
}

function lifecyclesOf(query: URLSearchParams): readonly Lifecycle[] {
  const given = [...query.getAll('lifecycle'), ...query.getAll('lifecycle[]')].flatMap((text) => text.split(','))
  const wanted = given.length > 0 ? given : ['active', 'deprecated']
  const wrong = wanted.find((lifecycle) => !['active', 'deprecated', 'retired'].includes(lifecycle))
  if (wrong !== undefined)
    throw new RefusedRequest(400, "lifecycle: Input should be 'active', 'deprecated' or 'retired'")
  return wanted as Lifecycle[]
}

function pageOf<Item extends { readonly id: string }>(
  items: readonly Item[],
  query: URLSearchParams,
): { readonly page: readonly Item[]; readonly hasMore: boolean } {
  const limit = Number(query.get('limit') ?? 20)
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw new RefusedRequest(400, 'limit: Input should be a whole number from 1 to 1000')
  const [after, before] = ['after_id', 'before_id'].map((name) => {
    const id = query.get(name)
    const index = items.findIndex((item) => item.id === id)
    if (id !== null && index < 0) throw new RefusedRequest(400, `${name}: no model has this ID`)
    return id === null ? undefined : index
  })
  if (after !== undefined && before !== undefined)
    throw new RefusedRequest(400, 'Only one of after_id and before_id can be given')
  const rest = after === undefined ? items.slice(0, before) : items.slice(after + 1)
  return {
    page: before === undefined ? rest.slice(0, limit) : rest.slice(-limit),
    hasMore: rest.length > limit,
  }
}
