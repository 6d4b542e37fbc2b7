import { showCommand } from '../credentials/command-name.ts'
import { printable } from './printable.ts'
import { describeSource, type Setting, type Settings, type SettingSource } from './settings.ts'

/** One effective value. */
export interface SettingExplanation {
  /** Such as `env.AWS_REGION` or `modelOverrides`. */
  readonly key: string
  /** As text; a secret is masked. */
  readonly value: string
  readonly source: SettingSource
  /** What it took the place of, the nearest first. */
  readonly overrode: readonly { readonly value: string; readonly source: SettingSource }[]
}

/** Every effective value. `toString()` gives them as lines of text. */
export interface SettingsExplanation {
  readonly settings: readonly SettingExplanation[]
  toString(): string
}

const relevant =
  /^(AWS_|ANTHROPIC_|CLAUDE_CODE_|DISABLE_PROMPT_CACHING|ENABLE_PROMPT_CACHING|FORCE_PROMPT_CACHING|API_TIMEOUT_MS$)/
const secret = /TOKEN|SECRET|ACCESS_KEY|API_KEY|PASSWORD|CUSTOM_HEADERS|AUTHORIZATION/

/**
 * Tells every setting that a client is made of: its value, where it came from, and what it overrode. Secrets are masked.
 *
 * @example
 * ```ts
 * console.log(String(explainSettings(await loadSettings())))
 * ```
 */
export function explainSettings(settings: Settings): SettingsExplanation {
  const { env, ...rest } = settings
  const rows = [
    ...Object.entries(env)
      .filter(([name]) => relevant.test(name))
      .map(([name, setting]) => explain(`env.${name}`, setting, (value) => (secret.test(name) ? '[set]' : value))),
    ...Object.entries(rest).flatMap(([key, setting]) =>
      setting
        ? [
            explain(key, setting as Setting<unknown>, (value) =>
              typeof value === 'string' ? (isCommand(key) ? showCommand(value) : value) : JSON.stringify(value),
            ),
          ]
        : [],
    ),
  ].sort((a, b) => (a.key < b.key ? -1 : 1))
  return { settings: rows, toString: () => rows.map(line).join('\n') }
}

const isCommand = (key: string): boolean => key === 'awsAuthRefresh' || key === 'awsCredentialExport'

function explain<T>(
  key: string,
  { value, source, overrode = [] }: Setting<T>,
  show: (value: T) => string,
): SettingExplanation {
  return {
    key,
    value: printable(show(value)),
    source,
    overrode: overrode.map((lower) => ({ value: printable(show(lower.value)), source: lower.source })),
  }
}

function line({ key, value, source, overrode }: SettingExplanation): string {
  const over = overrode.map((lower) => `; over ${lower.value} of ${describeSource(lower.source)}`).join('')
  return `${key} = ${value}, from ${describeSource(source)}${over}`
}
