import { parseModelId } from '../core/model-id.ts'
import { apac7, au2, au3, commercial, eu6, eu8, gov2, in2, jp2, us3, us4, us5, us6 } from './regions.ts'

/** The documented facts about a Claude model on Bedrock. Undocumented fields are left out. */
export interface CatalogModel {
  /** The base ID on Bedrock, such as `anthropic.claude-haiku-4-5-20251001-v1:0`. */
  readonly base: string
  /** The same model's ID at Anthropic, such as `claude-haiku-4-5-20251001`. */
  readonly anthropicId: string
  /** Such as `haiku`. */
  readonly family: string
  /** Such as `4.5`. */
  readonly version?: string
  /** The Regions from which each of the model's inference profiles can be called, by the profile's prefix. */
  readonly profiles: Readonly<Partial<Record<string, readonly string[]>>>
  /** The Regions where the base ID itself can be called. Other Regions need a profile. */
  readonly onDemand?: readonly string[]
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
    readonly state: 'active' | 'gated' | 'legacy' | 'retired'
    /** The date of its release on Bedrock, as `YYYY-MM-DD`. */
    readonly released?: string
    /** The date of its end of life, past or planned. */
    readonly endOfLife?: string
  }
  /** The page that the row comes from, and when it was read. */
  readonly source: string
}

type Profiles = CatalogModel['profiles']
type Lifecycle = CatalogModel['lifecycle']
type RowDetails = Pick<CatalogModel, 'onDemand' | 'contextWindow' | 'maxOutput'> &
  Partial<Lifecycle> & { readonly cacheMinimum?: number; readonly source?: string }

const guide = 'https://docs.aws.amazon.com/bedrock/latest/userguide/'
const onMillion: RowDetails = { contextWindow: 1_000_000, onDemand: [] }
const on200k: RowDetails = { contextWindow: 200_000, onDemand: [] }

/**
 * The Claude models of Bedrock, newest first, from AWS's model cards (`source` of each row).
 *
 * Prompt cache minimums and context windows: https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html
 * (autumn 2026) and Anthropic's page on Bedrock. No card shows the prefix `us-gov.`; deployed policies and clients use
 * it.
 */
export const catalog: readonly CatalogModel[] = [
  // From a copy of the card.
  row(
    'haiku-5-5',
    '2026-10',
    { us: us6, eu: eu8, jp: jp2, au: au2, 'us-gov': gov2, global: commercial },
    { onDemand: [], released: '2026-10-07' },
  ),
  row(
    'sonnet-5-5',
    '2026-10',
    { us: us6, eu: eu8, 'us-gov': gov2, global: commercial },
    { ...onMillion, cacheMinimum: 512, released: '2026-09-28' },
  ),
  row(
    'opus-5-5',
    '2026-10',
    { us: us6, eu: eu8, jp: jp2, au: au2, 'us-gov': gov2, global: commercial },
    { ...onMillion, maxOutput: 128_000, cacheMinimum: 512, onDemand: ['eu-west-2'], released: '2026-09-22' },
  ),
  row('fable-5-1', '2026-09', { us: us6, 'us-gov': gov2, global: commercial }, { ...onMillion, cacheMinimum: 512 }),
  row('mythos-5-1', '2026-09', { us: us6, global: commercial }, { onDemand: [], cacheMinimum: 512, state: 'gated' }),
  row(
    'opus-5',
    '2026-10',
    { us: us6, eu: eu8, au: au2, in: in2, 'us-gov': gov2, global: commercial },
    { ...onMillion, maxOutput: 128_000, cacheMinimum: 512, onDemand: ['ap-northeast-2'], released: '2026-07-24' },
  ),
  row(
    'sonnet-5',
    '2026-10',
    { us: us6, eu: eu8, au: au2, in: in2, 'us-gov': gov2, global: commercial },
    {
      ...onMillion,
      cacheMinimum: 1_024,
      onDemand: ['eu-west-2', 'ap-northeast-2', 'ap-southeast-1'],
      released: '2026-06-30',
    },
  ),
  row('fable-5', '2026-07', { us: us6, global: commercial }, { ...onMillion, cacheMinimum: 512 }),
  // Only its Region is documented, us-east-1.
  row('mythos-5', '2026-07', {}, { cacheMinimum: 512, state: 'gated', source: 'models-region-compatibility' }),
  row(
    'opus-4-8',
    '2026-07',
    { us: us6, eu: eu8, jp: jp2, au: au2, 'us-gov': gov2, global: commercial },
    { ...onMillion, cacheMinimum: 1_024 },
  ),
  row(
    'opus-4-7',
    '2026-07',
    { us: us6, eu: eu8, jp: jp2, au: au2, global: commercial },
    { ...onMillion, cacheMinimum: 4_096 },
  ),
  row(
    'sonnet-4-6',
    '2026-07',
    { us: us6, eu: eu8, jp: jp2, au: au3, global: commercial },
    { ...onMillion, cacheMinimum: 1_024, onDemand: ['eu-west-2'] },
  ),
  row(
    'opus-4-6-v1',
    '2026-07',
    { us: us6, eu: eu8, au: au3, global: commercial },
    { ...onMillion, cacheMinimum: 4_096, onDemand: ['eu-west-2'] },
  ),
  row(
    'opus-4-5-20251101-v1:0',
    '2026-07',
    { us: us5, eu: eu8, global: commercial },
    { ...on200k, cacheMinimum: 4_096 },
  ),
  row(
    'haiku-4-5-20251001-v1:0',
    '2026-10',
    { us: us5, eu: eu8, jp: jp2, au: au3, in: in2, global: commercial },
    { ...on200k, cacheMinimum: 4_096 },
  ),
  row(
    'sonnet-4-5-20250929-v1:0',
    '2026-07',
    { us: us5, eu: eu8, jp: jp2, au: au3, 'us-gov': gov2, global: commercial },
    { ...on200k, cacheMinimum: 1_024 },
  ),
  row('opus-4-1-20250805-v1:0', '2026-07', { us: us3 }, { ...on200k, state: 'legacy', endOfLife: '2027-01-08' }),
  row(
    'sonnet-4-20250514-v1:0',
    '2026-07',
    { us: us4, eu: [...eu6, 'il-central-1'], apac: apac7, global: [...us3, 'eu-west-1', 'ap-northeast-1'] },
    { contextWindow: 200_000, state: 'retired', endOfLife: '2026-10-14' },
  ),
  row(
    '3-haiku-20240307-v1:0',
    '2026',
    {},
    { contextWindow: 200_000, state: 'retired', endOfLife: '2026-09-10', source: 'model-lifecycle-legacy' },
  ),
  row(
    '3-5-haiku-20241022-v1:0',
    '2026',
    {},
    { contextWindow: 200_000, state: 'retired', endOfLife: '2026-06-19', source: 'model-lifecycle-legacy' },
  ),
]

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

function row(
  name: string,
  read: string,
  profiles: Profiles,
  { cacheMinimum, state = 'active', released, endOfLife, source, ...rest }: RowDetails,
): CatalogModel {
  const base = `anthropic.claude-${name}`
  const { family = '', version } = parseModelId(base)
  return {
    base,
    anthropicId: `claude-${name.replace(/-v1(:0)?$/, '')}`,
    family,
    ...(version && { version }),
    profiles,
    ...rest,
    ...(cacheMinimum && { promptCaching: { minimumTokens: cacheMinimum, ttls: ['5m', '1h'] } }),
    lifecycle: { state, ...(released && { released }), ...(endOfLife && { endOfLife }) },
    source: `${guide}${source ?? `model-card-anthropic-claude-${family}-${version?.replace('.', '-')}`}.html (read ${read})`,
  }
}
