import { parseModelId } from '../core/model-id.ts'
import { type ClaudeModel, claudeModels } from './claude-models.ts'
import { anthropicIdOf } from './names.ts'

/** The documented facts about a Claude model on Bedrock. Undocumented fields are left out. */
export interface CatalogModel extends Omit<ClaudeModel, 'state' | 'endOfLife'> {
  /** The same model's ID at Anthropic, such as `claude-haiku-4-5-20251001`. */
  readonly anthropicId: string
  /** Such as `haiku`. */
  readonly family: string
  /** Such as `4.5`. */
  readonly version?: string
  /** The maximum of input and output tokens together. */
  readonly contextWindow?: number
  /** The maximum of tokens in one answer. */
  readonly maxOutput?: number
  /** The limits of prompt caching: the minimum tokens of a prefix, and its TTLs. */
  readonly promptCaching?: { readonly minimumTokens: number; readonly ttls: readonly ('5m' | '1h')[] }
  readonly lifecycle: {
    /**
     * `gated`: by invitation. `legacy`: closed to accounts that have not used it recently. `retired`: no longer
     * available.
     */
    readonly state: NonNullable<ClaudeModel['state']>
    /** The date of its release on Bedrock, as `YYYY-MM-DD`. */
    readonly released?: string
    /** The date of its end of life, past or planned. */
    readonly endOfLife?: string
  }
  /** The page that the row comes from, and when it was read. */
  readonly source: string
}

/** The facts about a model besides those that every client needs. Each model has some. */
interface Details
  extends Pick<CatalogModel, 'contextWindow' | 'maxOutput'>,
    Pick<CatalogModel['lifecycle'], 'released'> {
  /** When the page was read. */
  readonly read: string
  /** The minimum tokens of a cached prefix. */
  readonly cacheMinimum?: number
  /** The page's name. @default the model's card */
  readonly source?: string
}

const details: Readonly<Record<string, Details>> = {
  // From a copy of the card.
  'haiku-5-5': { read: '2026-10', released: '2026-10-07' },
  'sonnet-5-5': { read: '2026-10', contextWindow: 1_000_000, cacheMinimum: 512, released: '2026-09-28' },
  'opus-5-5': {
    read: '2026-10',
    contextWindow: 1_000_000,
    maxOutput: 128_000,
    cacheMinimum: 512,
    released: '2026-09-22',
  },
  'fable-5-1': { read: '2026-09', contextWindow: 1_000_000, cacheMinimum: 512 },
  'mythos-5-1': { read: '2026-09', cacheMinimum: 512 },
  'opus-5': {
    read: '2026-10',
    contextWindow: 1_000_000,
    maxOutput: 128_000,
    cacheMinimum: 512,
    released: '2026-07-24',
  },
  'sonnet-5': { read: '2026-10', contextWindow: 1_000_000, cacheMinimum: 1_024, released: '2026-06-30' },
  'fable-5': { read: '2026-07', contextWindow: 1_000_000, cacheMinimum: 512 },
  'mythos-5': { read: '2026-07', cacheMinimum: 512, source: 'models-region-compatibility' },
  'opus-4-8': { read: '2026-07', contextWindow: 1_000_000, cacheMinimum: 1_024 },
  'opus-4-7': { read: '2026-07', contextWindow: 1_000_000, cacheMinimum: 4_096 },
  'sonnet-4-6': { read: '2026-07', contextWindow: 1_000_000, cacheMinimum: 1_024 },
  'opus-4-6-v1': { read: '2026-07', contextWindow: 1_000_000, cacheMinimum: 4_096 },
  'opus-4-5-20251101-v1:0': { read: '2026-07', contextWindow: 200_000, cacheMinimum: 4_096 },
  'haiku-4-5-20251001-v1:0': { read: '2026-10', contextWindow: 200_000, cacheMinimum: 4_096 },
  'sonnet-4-5-20250929-v1:0': { read: '2026-07', contextWindow: 200_000, cacheMinimum: 1_024 },
  'opus-4-1-20250805-v1:0': { read: '2026-07', contextWindow: 200_000 },
  'sonnet-4-20250514-v1:0': { read: '2026-07', contextWindow: 200_000 },
  '3-haiku-20240307-v1:0': {
    read: '2026',
    contextWindow: 200_000,
    source: 'model-lifecycle-legacy',
  },
  '3-5-haiku-20241022-v1:0': {
    read: '2026',
    contextWindow: 200_000,
    source: 'model-lifecycle-legacy',
  },
}

/**
 * The Claude models of Bedrock, newest first, from AWS's model cards (`source` of each row).
 *
 * Prompt cache minimums and context windows: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
 * (autumn 2026) and Anthropic's page on Bedrock.
 */
export const catalog: readonly CatalogModel[] = /* @__PURE__ */ claudeModels.map(
  ({ state = 'active', endOfLife, ...model }) => {
    const { base } = model
    const { family = '', version } = parseModelId(base)
    const { read, released, cacheMinimum, source, ...limits } = details[
      base.slice('anthropic.claude-'.length)
    ] as Details
    const page = source ?? `model-card-anthropic-claude-${family}-${version?.replace('.', '-')}`
    return {
      ...model,
      anthropicId: anthropicIdOf(base),
      family,
      ...(version && { version }),
      ...limits,
      ...(cacheMinimum && { promptCaching: { minimumTokens: cacheMinimum, ttls: ['5m', '1h'] } }),
      lifecycle: { state, ...(released && { released }), ...(endOfLife && { endOfLife }) },
      source: `https://docs.aws.amazon.com/bedrock/latest/userguide/${page}.html (read ${read})`,
    }
  },
)

/** Returns the row of a base model. */
export function catalogModel(base: string | undefined): CatalogModel | undefined {
  return catalog.find((model) => model.base === base)
}

/**
 * Returns the maximum output of a model in tokens; the usual one if it is undocumented.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html
 */
export function longestAnswerOf(base: string | undefined): number {
  return catalogModel(base)?.maxOutput ?? 64_000
}
