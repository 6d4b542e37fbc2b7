import type { ModelSource } from '../core/types.ts'
import { isFullModelId } from '../core/model-id.ts'
import type { NoteStep } from './explanation.ts'
import { isFamily } from './families.ts'
import { isSameModel } from './names.ts'
import { cycle } from './refusals.ts'
import { type ModelResolverOptions, type NameTables, withoutWindow } from './resolver-options.ts'

/** The meaning of a name, before the geography is chosen. */
export interface Target {
  /** A full ID, or an Anthropic model ID. */
  readonly text: string
  /** The last step that changed the name. */
  readonly source?: ModelSource
  /** The option that contains the text, unless the caller passed it. */
  readonly option?: string | undefined
  readonly region: string
  /** The intended model, if `text` does not reveal it: an override's key. */
  readonly model?: string | undefined
  /** The family whose alias was followed. */
  readonly family?: string | undefined
  /** No one chose this version, so another version of the family may replace it. */
  readonly anyVersion?: boolean
  readonly isDefault?: boolean
  /** The allow-list does not apply to it. */
  readonly isExempt?: boolean | undefined
}

/**
 * Creates a function that follows a name through overrides, pins and aliases.
 *
 * @throws ConfigurationError if they form a cycle
 */
export function createNameFollower(
  { smallModelRegion, enforceAvailableModels = true }: ModelResolverOptions,
  { aliases, pins, overrides }: NameTables,
): (name: string, clientRegion: string, note: NoteStep) => Target {
  return (name, clientRegion, note) => {
    let target: Target = { text: withoutWindow(name), region: clientRegion }
    const taken: string[] = []
    for (const seen = new Set<string>(); !isFullModelId(target.text); ) {
      const { text, region, isDefault, isExempt } = target
      if (seen.has(text)) throw cycle([...seen, text], taken)
      seen.add(text)
      const override = overrides.find(({ key }) => isSameModel(key, text))
      if (override) {
        note('override', `${override.key} is ${override.text}`)
        const { base, key, option } = override
        return { region, text: override.text, source: 'override', option, model: base ?? key, isExempt }
      }
      const pin = pins.get(text)
      const next = pin ?? aliases.get(text)
      if (!next) break
      const source = pin ? 'pin' : 'alias'
      note(source, `${text} is ${next.text}`)
      if (next.option) taken.push(next.option)
      target = {
        text: withoutWindow(next.text),
        source,
        option: next.option,
        region: (/^(small|haiku)$/.test(text) && smallModelRegion) || region,
        // The setup page's default is a global profile. A default of the user's own resolves like any other name.
        isDefault: isDefault || (text === 'default' && !next.option),
        // The list may be meant to forbid a `default` or `small` that an option sets.
        isExempt: isExempt || (!enforceAvailableModels && /^(default|small)$/.test(text) && !next.option),
        family: isFamily(text) ? text : undefined,
        anyVersion: !next.option,
      }
    }
    return target
  }
}
