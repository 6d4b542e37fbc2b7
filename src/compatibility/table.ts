import type { ModelRef } from '../core/types.ts'

/** Whether a model supports a feature: as it is, with a beta, or not at all. */
export type Support = 'yes' | 'beta' | 'no'

/** The features that a Claude model on Bedrock accepts. Undocumented ones are left out, and pass unchanged. */
export interface ModelCompatibility {
  /** `thinking: { type: 'enabled', budget_tokens }`. */
  readonly budgetThinking?: Support
  /** `thinking: { type: 'adaptive' }`. */
  readonly adaptiveThinking?: Support
  /** `thinking: { type: 'disabled' }`. */
  readonly disabledThinking?: Support
  /** `output_config.effort`. */
  readonly effort?: Support
  /** `output_config.format`, and `strict` in a tool. */
  readonly structuredOutputs?: Support
  /** `temperature`, `top_p`, `top_k`. */
  readonly sampling?: Support
  /** `temperature` and `top_p` together. */
  readonly bothSampling?: Support
  /** A final assistant message, which the answer continues. */
  readonly prefill?: Support
  /** `cache_control` at the top level of the body. */
  readonly topLevelCaching?: Support
  /** `anthropic_version: '2026-10-21'`. */
  readonly version2026?: Support
  /** CountTokens. */
  readonly countTokens?: Support
  /** The source of the row, if the model itself is not documented. */
  readonly source?: string
}

/**
 * The features of each model, by family and version; from AWS's model cards and feature pages, and Anthropic's pages on
 * Bedrock, as read in the autumn of 2026.
 *
 * @see
 *   https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html
 * @see https://platform.claude.com/docs/en/build-with-claude/claude-on-amazon-bedrock-legacy
 */
export const compatibilityTable: Readonly<Record<string, ModelCompatibility>> = /* @__PURE__ */ rows()

function rows(): Readonly<Record<string, ModelCompatibility>> {
  // Models with a date in their ID, and 4.6, are served by an older path than later models.
  const older: ModelCompatibility = {
    disabledThinking: 'yes',
    topLevelCaching: 'no',
    version2026: 'no',
    sampling: 'yes',
    budgetThinking: 'yes',
  }
  const four: ModelCompatibility = { ...older, adaptiveThinking: 'no', effort: 'no', prefill: 'yes' }
  const fourFive: ModelCompatibility = { ...four, structuredOutputs: 'yes' }
  const fourSix: ModelCompatibility = {
    ...older,
    adaptiveThinking: 'yes',
    effort: 'yes',
    structuredOutputs: 'yes',
    prefill: 'no',
  }
  const newer: ModelCompatibility = {
    adaptiveThinking: 'yes',
    budgetThinking: 'no',
    effort: 'yes',
    structuredOutputs: 'no',
    prefill: 'no',
    version2026: 'yes',
  }

  return {
    // Thinking cannot be turned off: model card of Opus 5.5.
    'opus-5.5': { ...newer, disabledThinking: 'no', sampling: 'no', countTokens: 'no' },
    'opus-5': { ...newer, disabledThinking: 'yes', sampling: 'no', countTokens: 'no' },
    'opus-4.8': { ...newer, sampling: 'no' },
    'opus-4.7': { ...newer, sampling: 'no' },
    'sonnet-5.5': newer,
    'sonnet-5': newer,
    'fable-5.1': { ...newer, source: 'assumed from Fable 5' },
    'fable-5': newer,
    'mythos-5.1': { ...newer, source: 'assumed from Fable 5' },
    'mythos-5': { ...newer, source: 'assumed from Fable 5' },
    'haiku-5.5': { ...newer, source: 'assumed from Sonnet 5.5' },
    'opus-4.6': fourSix,
    'sonnet-4.6': fourSix,
    'opus-4.5': { ...fourFive, effort: 'beta' },
    // temperature and top_p are rejected together: AWS's parameter page.
    'sonnet-4.5': { ...fourFive, bothSampling: 'no' },
    'haiku-4.5': { ...fourFive, bothSampling: 'no' },
    'opus-4.1': four,
    'sonnet-4': four,
  }
}

/** Returns the key of a model in the tables. */
export function compatibilityKey({ family, version }: Pick<ModelRef, 'family' | 'version'>): string {
  return `${family}-${version}`
}

/** Betas of certain models only; any other beta passes unchanged. */
export const modelBetas: Readonly<Record<string, readonly string[]>> = {
  'effort-2025-11-24': ['opus-4.5'],
  'tool-examples-2025-10-29': ['opus-4.5'],
  'compact-2026-01-12': ['opus-4.6', 'sonnet-4.6'],
  'compact-2026-09-04': ['opus-5.5'],
  'context-1m-2025-08-07': ['sonnet-4', 'sonnet-4.6', 'opus-4.6'],
}

/** Tests whether a model accepts a beta, as far as that is known. */
export function hasBeta(key: string, beta: string): boolean {
  const models = modelBetas[beta]
  return !models || !compatibilityTable[key] || models.includes(key)
}
