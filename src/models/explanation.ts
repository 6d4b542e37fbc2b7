import type { ModelRef, ModelResolutionContext, ModelResolver } from '../core/types.ts'

/** One step of resolving a name. */
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
  /** The outcome, as text. */
  readonly outcome: string
}

/** How a name resolves. `toString()` returns it as lines of text. */
export interface ModelExplanation {
  readonly name: string
  /** The client's Region. */
  readonly region: string
  readonly steps: readonly ResolutionStep[]
  /** The model that the name resolves to; left out if it does not resolve. */
  readonly model?: ModelRef
  /** Why it does not resolve. */
  readonly error?: Error & { readonly hint?: string }
  toString(): string
}

/** Records a step. */
export type NoteStep = (step: ResolutionStep['step'], outcome: string) => void

/** Explains a name by resolving it. Does not reject if the name does not resolve. */
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

/** Explains names with a resolver that does not report its steps. */
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
