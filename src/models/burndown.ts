import { parseModelId } from '../core/model-id.ts'

/** The tokens of a quota that one output token takes. */
export interface Burndown {
  readonly rate: number
  /** Whether AWS's page does not list the model, and the rate is that of similar models. */
  readonly isAssumed: boolean
}

// By family and version; older models take 5.
// https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html (read 2026-10)
const rates: Readonly<Record<string, number>> = {
  'opus-4.8': 15,
  'sonnet-5': 10,
  'opus-5': 10,
  'opus-5.5': 10,
  'fable-5.1': 10,
}
const older = 5
const assumed = 10

/**
 * Returns how many tokens of a quota one output token of a model takes. Billing counts it as one.
 *
 * @param base - the base model, such as `anthropic.claude-sonnet-4-6`. Models that are not Claude's count one for one.
 * @example
 * ```ts
 * burndownOf('anthropic.claude-sonnet-4-6') // { rate: 5, isAssumed: false }
 * ```
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html
 */
export function burndownOf(base: string | undefined): Burndown {
  if (base === undefined) return { rate: assumed, isAssumed: true }
  const { provider, family, version } = parseModelId(base)
  if (provider !== 'anthropic') return { rate: 1, isAssumed: provider === undefined }
  const rate = rates[`${family}-${version}`]
  if (rate !== undefined) return { rate, isAssumed: false }
  return Number(version) <= 4.7 ? { rate: older, isAssumed: false } : { rate: assumed, isAssumed: true }
}
