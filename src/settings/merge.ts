import { createAllowList } from '../models/allow-list.ts'
import type { Setting, Settings } from './settings.ts'

/**
 * Merges settings; each argument overrides the ones before it. Lists are concatenated, except that `fallbackModel`
 * and a managed `availableModels` replace the others. `modelOverrides` are merged by model.
 *
 * An untrusted project can restrict what is allowed, but not extend it: its `availableModels` keeps only models that
 * the others allow too, its `modelOverrides` replace no others, and they are ignored if others set `availableModels`,
 * because an override decides which model a name means.
 *
 * @example
 * ```ts
 * const settings = mergeSettings(settingsFromEnvironment(env), userSettings, projectSettings)
 * ```
 */
export function mergeSettings(...layers: readonly Settings[]): Settings {
  const isRestricted = layers.some(({ availableModels }) => availableModels && !availableModels.source.untrusted)
  return layers
    .map((layer) => (isRestricted ? withoutUntrustedOverrides(layer) : layer))
    .reduce<Settings>(
      (below, above) => ({
        env: mergeEnv(below.env, above.env),
        ...over('model', below, above),
        ...over('awsAuthRefresh', below, above),
        ...over('awsCredentialExport', below, above),
        ...over('apiKeyHelper', below, above),
        ...over('fallbackModel', below, above),
        ...over('enforceAvailableModels', below, above),
        ...joined('modelOverrides', below.modelOverrides, above.modelOverrides, (lower, upper) =>
          above.modelOverrides?.source.untrusted ? { ...upper, ...lower } : { ...lower, ...upper },
        ),
        ...joined('availableModels', below.availableModels, above.availableModels, (lower, upper) => {
          const { kind, untrusted } = (above.availableModels as Setting<readonly string[]>).source
          if (untrusted) return common(lower, upper)
          return kind === 'managed' ? upper : [...new Set([...lower, ...upper])]
        }),
        untaken: [...(below.untaken ?? []), ...(above.untaken ?? [])],
      }),
      { env: {} },
    )
}

function withoutUntrustedOverrides({ modelOverrides, ...layer }: Settings): Settings {
  if (!modelOverrides?.source.untrusted) return { modelOverrides, ...layer }
  const { source } = modelOverrides
  const because = 'the project is not trusted, and availableModels is set elsewhere'
  return { ...layer, untaken: [...(layer.untaken ?? []), { key: 'modelOverrides', source, because }] }
}

/** Returns the entries of either list that the other one allows too. */
function common(one: readonly string[], other: readonly string[]): string[] {
  const within = (entries: readonly string[], list: readonly string[]): string[] => {
    const isAllowed = createAllowList(list)
    return entries.filter((entry) => isAllowed({ model: entry, id: entry }))
  }
  return [...new Set([...within(one, other), ...within(other, one)])]
}

function mergeEnv(below: Settings['env'], above: Settings['env']): Settings['env'] {
  // A file may name a variable `__proto__` or `constructor`.
  const merged = new Map(Object.entries(below))
  for (const [name, setting] of Object.entries(above)) merged.set(name, lay(setting, merged.get(name)))
  return Object.fromEntries(merged)
}

function over<
  Key extends
    | 'model'
    | 'awsAuthRefresh'
    | 'awsCredentialExport'
    | 'apiKeyHelper'
    | 'fallbackModel'
    | 'enforceAvailableModels',
>(key: Key, below: Settings, above: Settings): Pick<Settings, Key> {
  const [lower, upper] = [below[key], above[key]] as Setting<unknown>[]
  const setting = upper ? lay(upper, lower) : lower
  return (setting ? { [key]: setting } : {}) as Pick<Settings, Key>
}

function joined<Key extends string, T>(
  key: Key,
  below: Setting<T> | undefined,
  above: Setting<T> | undefined,
  join: (lower: T, upper: T) => T,
): Partial<Record<Key, Setting<T>>> {
  const setting = above && below ? { ...lay(above, below), value: join(below.value, above.value) } : (above ?? below)
  return (setting ? { [key]: setting } : {}) as Partial<Record<Key, Setting<T>>>
}

function lay<T>(upper: Setting<T>, lower: Setting<T> | undefined): Setting<T> {
  if (!lower) return upper
  const { value, source, overrode = [] } = lower
  return { ...upper, overrode: [...(upper.overrode ?? []), { value, source }, ...overrode] }
}
