import type { ModelRef } from '../core/types.ts'

/** One step on the way from a name to a model. */
export interface ResolutionStep {
  readonly step: 'explicit' | 'override' | 'pin' | 'alias' | 'discovery' | 'catalog' | 'residency' | 'availableModels'
  /** What came of it, for people. */
  readonly outcome: string
}

/** How a name resolves. `toString()` gives it as lines of text. */
export interface ModelExplanation {
  readonly name: string
  /** The client's region. */
  readonly region: string
  readonly steps: readonly ResolutionStep[]
  /** What it resolves to. Left out where it does not. */
  readonly model?: ModelRef
  /** Why it does not resolve. */
  readonly error?: Error & { readonly hint?: string }
  toString(): string
}

export function describe(explanation: Omit<ModelExplanation, 'toString'>): ModelExplanation {
  const { name, region, steps, model, error } = explanation
  const lines = [
    `${name} in ${region}`,
    ...steps.map(({ step, outcome }) => `  ${step.padEnd(15)} ${outcome}`),
    model
      ? `  = ${model.id} in ${model.region} (${model.source}), which is ${model.base ?? 'of an unknown base'}`
      : `  = ${error?.message}${error?.hint ? `. ${error.hint}` : ''}`,
  ]
  return { ...explanation, toString: () => lines.join('\n') }
}
