import { apac7, au2, au3, commercial, eu6, eu8, gov2, in2, jp2, us3, us4, us5, us6 } from './regions.ts'

/** Where a Claude model can be called: the facts that every client needs. */
export interface ClaudeModel {
  /** The base ID on Bedrock, such as `anthropic.claude-haiku-4-5-20251001-v1:0`. */
  readonly base: string
  /** The Regions from which each of the model's inference profiles can be called, by the profile's prefix. */
  readonly profiles: Readonly<Partial<Record<string, readonly string[]>>>
  /** The Regions where the base ID itself can be called. Other Regions need a profile. */
  readonly onDemand?: readonly string[]
  /**
   * `gated`: by invitation. `legacy`: closed to accounts that have not used it recently. `retired`: no longer available.
   *
   * @default 'active'
   */
  readonly state?: 'active' | 'gated' | 'legacy' | 'retired'
  /** The date of its end of life, past or planned. */
  readonly endOfLife?: string
}

// By the name without `anthropic.claude-`, newest first. The sources are in the catalog. No card shows the prefix
// `us-gov.`; deployed policies and clients use it.
const rows: Readonly<Record<string, Omit<ClaudeModel, 'base'>>> = {
  'haiku-5-5': { profiles: { us: us6, eu: eu8, jp: jp2, au: au2, 'us-gov': gov2, global: commercial }, onDemand: [] },
  'sonnet-5-5': { profiles: { us: us6, eu: eu8, 'us-gov': gov2, global: commercial }, onDemand: [] },
  'opus-5-5': {
    profiles: { us: us6, eu: eu8, jp: jp2, au: au2, 'us-gov': gov2, global: commercial },
    onDemand: ['eu-west-2'],
  },
  'fable-5-1': { profiles: { us: us6, 'us-gov': gov2, global: commercial }, onDemand: [] },
  'mythos-5-1': { profiles: { us: us6, global: commercial }, onDemand: [], state: 'gated' },
  'opus-5': {
    profiles: { us: us6, eu: eu8, au: au2, in: in2, 'us-gov': gov2, global: commercial },
    onDemand: ['ap-northeast-2'],
  },
  'sonnet-5': {
    profiles: { us: us6, eu: eu8, au: au2, in: in2, 'us-gov': gov2, global: commercial },
    onDemand: ['eu-west-2', 'ap-northeast-2', 'ap-southeast-1'],
  },
  'fable-5': { profiles: { us: us6, global: commercial }, onDemand: [] },
  // Only its Region is documented, us-east-1.
  'mythos-5': { profiles: {}, state: 'gated' },
  'opus-4-8': { profiles: { us: us6, eu: eu8, jp: jp2, au: au2, 'us-gov': gov2, global: commercial }, onDemand: [] },
  'opus-4-7': { profiles: { us: us6, eu: eu8, jp: jp2, au: au2, global: commercial }, onDemand: [] },
  'sonnet-4-6': { profiles: { us: us6, eu: eu8, jp: jp2, au: au3, global: commercial }, onDemand: ['eu-west-2'] },
  'opus-4-6-v1': { profiles: { us: us6, eu: eu8, au: au3, global: commercial }, onDemand: ['eu-west-2'] },
  'opus-4-5-20251101-v1:0': { profiles: { us: us5, eu: eu8, global: commercial }, onDemand: [] },
  'haiku-4-5-20251001-v1:0': {
    profiles: { us: us5, eu: eu8, jp: jp2, au: au3, in: in2, global: commercial },
    onDemand: [],
  },
  'sonnet-4-5-20250929-v1:0': {
    profiles: { us: us5, eu: eu8, jp: jp2, au: au3, 'us-gov': gov2, global: commercial },
    onDemand: [],
  },
  'opus-4-1-20250805-v1:0': { profiles: { us: us3 }, onDemand: [], state: 'legacy', endOfLife: '2027-01-08' },
  'sonnet-4-20250514-v1:0': {
    profiles: {
      us: us4,
      eu: /* @__PURE__ */ eu6.concat('il-central-1'),
      apac: apac7,
      global: /* @__PURE__ */ us3.concat('eu-west-1', 'ap-northeast-1'),
    },
    state: 'retired',
    endOfLife: '2026-10-14',
  },
  '3-haiku-20240307-v1:0': { profiles: {}, state: 'retired', endOfLife: '2026-09-10' },
  '3-5-haiku-20241022-v1:0': { profiles: {}, state: 'retired', endOfLife: '2026-06-19' },
}

/** The Claude models of Bedrock, newest first. */
export const claudeModels: readonly ClaudeModel[] = /* @__PURE__ */ Object.entries(rows).map(([name, row]) => ({
  base: `anthropic.claude-${name}`,
  ...row,
}))

/** Returns the model with a base ID. */
export function claudeModel(base: string | undefined): ClaudeModel | undefined {
  return claudeModels.find((model) => model.base === base)
}
