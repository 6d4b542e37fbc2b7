import { isBedrockError } from '../core/errors.ts'
import { isJsonObject } from '../core/internal/json.ts'
import type { JsonObject, JsonValue } from '../core/types.ts'

/** A field or a beta that a model has refused. */
export type Lesson = { readonly beta: string } | { readonly path: readonly string[] }

// What a call is about is never taken from it.
const untouchable = /^(messages|tools|system|max_tokens|anthropic_version)$/

/** What a refusal names as superfluous; `undefined` where it names nothing that could be left out. */
export function lessonOf(error: unknown, body: JsonObject): Lesson | undefined {
  if (!isBedrockError(error, 'service') || error.status !== 400) return undefined
  const { message } = error
  if (/beta/i.test(message)) {
    const betas: readonly JsonValue[] = Array.isArray(body.anthropic_beta) ? body.anthropic_beta : []
    const named = betas.find((beta) => typeof beta === 'string' && message.includes(beta))
    return typeof named === 'string' ? { beta: named } : undefined
  }
  const [, text] = /([\w.-]+): Extra inputs are not permitted/.exec(message) ?? []
  // `tools.0.custom.strict`: which tool it was, and of which kind, does not matter.
  const path = text?.split('.').filter((part) => !/^\d+$|^custom$/.test(part)) ?? []
  const [first] = path
  if (!first || first === 'messages' || first === 'system') return undefined
  if (path.length === 1 && untouchable.test(first)) return undefined
  return { path }
}

/** A body without what a model has refused. Gives the same body where it is not in it. */
export function applyLesson(body: JsonObject, lesson: Lesson): JsonObject {
  if ('path' in lesson) return without(body, lesson.path) as JsonObject
  if (!Array.isArray(body.anthropic_beta) || !body.anthropic_beta.includes(lesson.beta)) return body
  const betas = body.anthropic_beta.filter((beta) => beta !== lesson.beta)
  const { anthropic_beta: _, ...rest } = body
  return betas.length > 0 ? { ...rest, anthropic_beta: betas } : rest
}

function without(value: JsonValue, [name, ...rest]: readonly string[]): JsonValue {
  if (name === undefined) return value
  if (Array.isArray(value)) {
    const changed = value.map((item) => without(item, [name, ...rest]))
    return changed.some((item, i) => item !== value[i]) ? changed : value
  }
  if (!isJsonObject(value) || value[name] === undefined) return value
  const { [name]: inner, ...others } = value
  if (rest.length === 0) return others
  const changed = without(inner ?? null, rest)
  if (changed === inner) return value
  return isJsonObject(changed) && Object.keys(changed).length === 0 ? others : { ...value, [name]: changed }
}
