import { isFullModelId, parseModelId } from '../core/model-id.ts'
import { anthropicIdOf } from './names.ts'

/** A model to check against an allow-list. */
export interface AllowCandidate {
  /** Bedrock's base ID or Anthropic's ID. Unknown for an opaque ARN. */
  readonly model: string | undefined
  /** The ID or ARN to send, unless it comes from an override. */
  readonly id?: string | undefined
}

/**
 * Creates a check from an allow-list of families (`opus`), version prefixes (`claude-opus-4-5`) and full IDs. As in
 * Claude Code, an entry for one version of a family replaces the entry for the whole family.
 */
export function createAllowList(entries: readonly string[] | undefined): (candidate: AllowCandidate) => boolean {
  if (!entries) return () => true
  const rules = entries.map((entry) => {
    const { suffix = '', family } = parseModelId(entry)
    return { text: entry.slice(0, entry.length - suffix.length), family }
  })
  const specific = new Set(rules.map(({ family }) => family))
  return ({ model, id }) => {
    const name = model && anthropicIdOf(model)
    const family = name && parseModelId(name).family
    return rules.some(({ text }) => {
      if (text === id || text === model) return true
      if (isFullModelId(text)) return false
      return text === family
        ? !specific.has(family)
        : name !== undefined && `${name}-`.startsWith(`${anthropicIdOf(text)}-`)
    })
  }
}
