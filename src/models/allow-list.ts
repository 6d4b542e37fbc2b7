import { isFullModelId, parseModelId } from '../core/model-id.ts'
import { anthropicIdOf } from './names.ts'

/** A model as an allow-list sees it. */
export interface AllowCandidate {
  /** Bedrock's base ID or Anthropic's ID. Unknown behind an opaque ARN. */
  readonly model: string | undefined
  /** The ID or ARN that goes out, unless an override put it there. */
  readonly id?: string | undefined
}

/**
 * Reads an allow-list: a family (`opus`), a version's beginning (`claude-opus-4-5`), or a full ID. As in Claude Code, an
 * entry for one version of a family takes the place of the entry for the whole family.
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
