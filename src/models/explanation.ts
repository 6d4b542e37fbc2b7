import type { ModelRef, ModelResolutionContext, ModelResolver } from '../core/types.ts'

/** One step on the way from a name to a model. */
export interface ResolutionStep {
  readonly step:
    | 'explicit'
    | 'override'
    | 'pin'
    | 'alias'
    | 'discovery'
    | 'catalog'
    | 'residency'
    | 'availableModels'
    | 'resolver'
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

/** Notes a step. */
export type NoteStep = (step: ResolutionStep['step'], outcome: string) => void

/** Explains a name by resolving it. Does not reject when it does not resolve. */
export async function explainName(
  name: string,
  region: string,
  resolve: (note: NoteStep) => ModelRef | Promise<ModelRef>,
): Promise<ModelExplanation> {
  const steps: ResolutionStep[] = []
  try {
    return describe({ name, region, steps, model: await resolve((step, outcome) => steps.push({ step, outcome })) })
  } catch (error) {
    return describe({ name, region, steps, error: error as Error })
  }
}

/** Explains names by a resolver that tells no steps. */
export function explainByResolver(resolver: ModelResolver) {
  return (name: string, context: ModelResolutionContext): Promise<ModelExplanation> =>
    explainName(name, context.region, (note) => {
      note('resolver', 'the resolver in `models` decides')
      return resolver.resolve(name, context)
    })
}

function describe(explanation: Omit<ModelExplanation, 'toString'>): ModelExplanation {
  const { name, region, steps, model, error } = explanation
  const lines = [
    `${name} in ${region}`,
    ...steps.map(({ step, outcome }) => `  ${step.padEnd(15)} ${outcome}`),
    model
      ? `  = ${model.id} in ${model.region ?? region} (${model.source}), which is ${model.base ?? 'an unknown model'}`
      : `  = ${error?.message}${error?.hint ? `. ${error.hint}` : ''}`,
  ]
  return { ...explanation, toString: () => lines.join('\n') }
}
