import type { ModelSource } from '../core/types.ts'
import { isFullModelId } from '../core/model-id.ts'
import type { NoteStep } from './explanation.ts'
import { isFamily } from './families.ts'
import { isSameModel } from './names.ts'
import { cycle } from './refusals.ts'
import { type ModelResolverOptions, type NameTables, withoutWindow } from './resolver-options.ts'

/** What a name comes down to, before geography. */
export interface Target {
  /** A full ID, or an Anthropic model ID. */
  readonly text: string
  /** The last step that changed the name. */
  readonly source?: ModelSource
  /** The option that the text stands in, where it is not what the caller gave. */
  readonly option?: string | undefined
  readonly region: string
  /** The model that is meant, where `text` does not tell: an override's key. */
  readonly model?: string | undefined
  /** The family whose name led here. */
  readonly family?: string | undefined
  /** Nobody chose this version: another one of the family will do. */
  readonly anyVersion?: boolean
  readonly isDefault?: boolean
  /** The allow-list does not hold for it. */
  readonly isExempt?: boolean | undefined
}

/** Follows a name through overrides, pins and aliases. @throws ConfigurationError where they form a cycle */
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
        // The setup page's default is global. A chosen one is called as its own name is.
        isDefault: isDefault || (text === 'default' && !next.option),
        // What somebody chose in their place may be what the list is to forbid.
        isExempt: isExempt || (!enforceAvailableModels && /^(default|small)$/.test(text) && !next.option),
        family: isFamily(text) ? text : undefined,
        anyVersion: !next.option,
      }
    }
    return target
  }
}
