import { showCommand } from '../credentials/command-name.ts'
import { authorizationOf, hasAuthorizationHeader } from './authorization.ts'
import { printable } from './printable.ts'
import { describeSource, type Setting, type Settings, type SettingSource } from './settings.ts'
import { settingRow, type SettingRow, whyIgnored } from './table.ts'

/** One effective value. */
export interface SettingExplanation {
  /** Such as `env.AWS_REGION` or `modelOverrides`. */
  readonly key: string
  /** As text. Secrets are masked, and commands are shown without their arguments. */
  readonly value: string
  readonly source: SettingSource
  /** The values that it replaced, in descending order of precedence. */
  readonly overrode: readonly { readonly value: string; readonly source: SettingSource }[]
}

/** A setting that has no effect. */
export interface IgnoredSetting {
  /** Such as `env.HTTPS_PROXY` or `permissions`. */
  readonly key: string
  readonly source: SettingSource
  /** The reason, to follow "ignored, because". */
  readonly because: string
}

/** The effective settings. `toString()` returns them as lines of text. */
export interface SettingsExplanation {
  /** Settings that have an effect. */
  readonly settings: readonly SettingExplanation[]
  /** Settings that have none. */
  readonly ignored: readonly IgnoredSetting[]
  toString(): string
}

/**
 * Explains every setting: those that have an effect, with their values, their sources and the values that they
 * replaced, and those that are ignored, with the reason. Secrets are masked. Of the process's environment, it includes
 * only the variables of AWS, Anthropic, Claude Code and proxies.
 *
 * @example
 * ```ts
 * console.log(String(explainSettings(await loadSettings())))
 * ```
 */
export function explainSettings(settings: Settings): SettingsExplanation {
  const { env, untaken = [], ...keys } = settings
  const given: (readonly [key: string, name: string, Setting<unknown>])[] = [
    ...Object.entries(env)
      .filter(([name, { source }]) => source.kind !== 'environment' || settingRow(name))
      .map(([name, setting]) => [`env.${name}`, name, setting] as const),
    ...Object.entries(keys).flatMap(([name, setting]) => (setting ? [[name, name, setting] as const] : [])),
  ]
  const effective: SettingExplanation[] = []
  const ignored: IgnoredSetting[] = untaken.map(({ key, source, because }) => ({
    key: printable(key, 200),
    source,
    because: because ?? whyIgnored(settings, key) ?? 'the project is not trusted',
  }))
  for (const [key, name, setting] of given) {
    const because = whyIgnored(settings, name)
    if (because === undefined) effective.push(explain(key, name, setting))
    else ignored.push({ key: printable(key, 200), source: setting.source, because })
  }
  const used = authorizationOf(settings)
  if (env.ANTHROPIC_CUSTOM_HEADERS && hasAuthorizationHeader(settings) && used !== 'ANTHROPIC_CUSTOM_HEADERS') {
    const { source } = env.ANTHROPIC_CUSTOM_HEADERS
    ignored.push({ key: 'env.ANTHROPIC_CUSTOM_HEADERS: Authorization', source, because: `${used} wins` })
  }
  const byKey = (a: { readonly key: string }, b: { readonly key: string }): number => (a.key < b.key ? -1 : 1)
  effective.sort(byKey)
  ignored.sort(byKey)
  return {
    settings: effective,
    ignored,
    toString: () => [...effective.map(line), ...ignored.map(ignoredLine)].join('\n'),
  }
}

function explain(key: string, name: string, { value, source, overrode = [] }: Setting<unknown>): SettingExplanation {
  const show = (value: unknown): string =>
    printable(typeof value === 'string' ? shown(value, settingRow(name)?.shows) : JSON.stringify(value))
  return {
    key,
    value: show(value),
    source,
    overrode: overrode.map((lower) => ({ value: show(lower.value), source: lower.source })),
  }
}

function shown(value: string, as: SettingRow['shows']): string {
  if (as === 'secret') return '[set]'
  if (as === 'command') return showCommand(value)
  if (as !== 'url') return value
  // The user and everything after the path may be secret.
  const { protocol, host, pathname } = URL.canParse(value) ? new URL(value) : {}
  return host ? `${protocol}//${host}${pathname === '/' ? '' : pathname}` : '[set]'
}

function line({ key, value, source, overrode }: SettingExplanation): string {
  const over = overrode.map((lower) => `; over ${lower.value} of ${describeSource(lower.source)}`).join('')
  return `${key} = ${value}, from ${describeSource(source)}${over}`
}

function ignoredLine({ key, source, because }: IgnoredSetting): string {
  return `${key}, from ${describeSource(source)}: ignored, because ${because}`
}
