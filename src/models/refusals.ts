import { ConfigurationError, ModelResolutionError } from '../core/errors.ts'

/** A name that should lead to a model, and the option that contains it, unless the caller passed it. */
interface Named {
  readonly text: string
  readonly option?: string | undefined
}

/** The subject of an error message: the name, or the option that contains it. */
export function subject({ text, option }: Named): string {
  const shown = /^[\w.:/[\]-]{1,200}$/.test(text) ? text : JSON.stringify(text.slice(0, 200))
  return option ? `${option} is ${shown}, which` : shown
}

export function unknownName(target: Named, near: readonly string[]): ModelResolutionError {
  return refusal(`${subject(target)} is not a model, alias or ARN`, near)
}

export function noModelId(target: Named): ModelResolutionError {
  return new ModelResolutionError(`${subject(target)} is neither a model ID nor the ARN of a model`, {
    hint: 'An ARN looks like arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc, with a Region of its partition.',
  })
}

export function cycle(names: readonly string[], taken: readonly string[]): ConfigurationError {
  return new ConfigurationError(`The model aliases form a cycle: ${names.join(' -> ')}`, {
    hint: `Change ${taken.join(' or ')}.`,
  })
}

export function refusal(
  problem: string,
  near: readonly string[],
  others: readonly string[] = [],
): ModelResolutionError {
  const hints = [
    ...(near.length > 0 ? [`Did you mean ${near.slice(0, 3).join(' or ')}?`] : []),
    ...(others.length > 0 ? [`Available: ${others.join(', ')}.`] : []),
  ]
  return new ModelResolutionError(problem, {
    candidates: [...near, ...others],
    hint: hints.join(' ') || 'Use an alias such as sonnet, an Anthropic model ID, a Bedrock model ID or an ARN.',
  })
}
