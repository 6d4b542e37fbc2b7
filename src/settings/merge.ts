import type { Setting, Settings } from './settings.ts'

/**
 * Lays settings over one another: each argument over those before it. Lists are joined, but for a managed
 * `availableModels`, which stands alone; `modelOverrides` are joined by model.
 *
 * @example
 * ```ts
 * const settings = mergeSettings(settingsFromEnvironment(env), userSettings, projectSettings)
 * ```
 */
export function mergeSettings(...layers: readonly Settings[]): Settings {
  return layers.reduce<Settings>(
    (below, above) => ({
      env: mergeEnv(below.env, above.env),
      ...over('model', below, above),
      ...over('awsAuthRefresh', below, above),
      ...over('awsCredentialExport', below, above),
      ...joined('modelOverrides', below.modelOverrides, above.modelOverrides, (lower, upper) => ({
        ...lower,
        ...upper,
      })),
      ...joined('availableModels', below.availableModels, above.availableModels, (lower, upper) =>
        above.availableModels?.source.kind === 'managed' ? upper : [...new Set([...lower, ...upper])],
      ),
    }),
    { env: {} },
  )
}

function mergeEnv(below: Settings['env'], above: Settings['env']): Settings['env'] {
  // A file may name a variable `__proto__` or `constructor`.
  const merged = new Map(Object.entries(below))
  for (const [name, setting] of Object.entries(above)) merged.set(name, lay(setting, merged.get(name)))
  return Object.fromEntries(merged)
}

function over<Key extends 'model' | 'awsAuthRefresh' | 'awsCredentialExport'>(
  key: Key,
  below: Settings,
  above: Settings,
): Partial<Record<Key, Setting<string>>> {
  const upper = above[key]
  const setting = upper ? lay(upper, below[key]) : below[key]
  return (setting ? { [key]: setting } : {}) as Partial<Record<Key, Setting<string>>>
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
