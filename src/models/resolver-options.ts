import { ConfigurationError } from '../core/errors.ts'
import { assertOptions, describeType } from '../core/internal/assert-options.ts'
import { assertRegion } from '../core/internal/region.ts'
import { isFullModelId, parseModelId, splitContextSuffix } from '../core/model-id.ts'
import type { Clock } from '../core/types.ts'
import { type ClaudeModel, claudeModels } from './claude-models.ts'
import { builtInAliases, families, isFamily, type ModelFamily } from './families.ts'
import type { GeographyRules } from './geography.ts'
import { isSameModel } from './names.ts'

/** An ID of Anthropic's own API, such as `claude-sonnet-4-6` or `claude-opus-4-5-20251101`. */
export type AnthropicModelId = `claude-${string}`

/**
 * How model names resolve. An invalid entry, such as a pin to a model that does not exist, fails only the calls that
 * use it.
 */
export interface ModelResolverOptions extends GeographyRules {
  /**
   * Your own names for a model ID, an ARN, an Anthropic model ID or another alias. They take precedence over the
   * built-in names: `default`, `small`, `sonnet`, `opus`, `haiku`, `fable`, `best` and `opusplan`.
   */
  readonly aliases?: Readonly<Record<string, string>> | undefined
  /** The version for each family's name, as a model ID, an ARN or an Anthropic model ID. */
  readonly pins?: Readonly<Partial<Record<ModelFamily, string | undefined>>> | undefined
  /**
   * Model IDs and ARNs to call instead of Anthropic model IDs, like `modelOverrides` in Claude Code:
   * `{ 'claude-opus-4-6': 'arn:aws:bedrock:us-east-2:123456789012:application-inference-profile/opus-46-prod' }`.
   */
  readonly overrides?: Readonly<Record<AnthropicModelId, string>> | undefined
  /** The model for `small`. @default 'haiku' */
  readonly small?: string | undefined
  /** The Region in which `small` and `haiku` are called. @default the client's Region */
  readonly smallModelRegion?: string | undefined
  /**
   * The only models that may be called: families (`sonnet`), version prefixes (`claude-opus-4-5`) and full IDs. The
   * list is matched against the intended model, not against the ID that an override replaces it with. An entry for one
   * version of a family replaces the entry for the whole family.
   *
   * @default every model
   */
  readonly availableModels?: readonly string[] | undefined
  /**
   * Whether `availableModels` applies to `default` and `small` too. Claude Code exempts the default model and the
   * background model unless `enforceAvailableModels` is set. A `default` or `small` in `aliases` is never exempt.
   *
   * @default true
   */
  readonly enforceAvailableModels?: boolean | undefined
  /**
   * Whether to look up the account's inference profiles.
   *
   * - `true`: when a name first needs it. The account decides, and a family's name is its newest model there.
   * - `'fallback'`: only what the catalog does not know: an Anthropic model ID that is newer or has no profile in the
   *   Region, and the model behind an application inference profile. Aliases and pins never change.
   *
   * Needs `bedrock:ListInferenceProfiles` and `bedrock:GetInferenceProfile`. Without them the catalog decides, and the
   * client logs a warning.
   *
   * @default false
   */
  readonly discovery?: boolean | 'fallback' | undefined
  /** Whether to repeat a call once through an inference profile if Bedrock rejects its base ID. @default false */
  readonly autoProfile?: boolean | undefined
  /**
   * The models behind opaque ARNs: a base model, or the AWS profile that was copied, which also says where it runs.
   * `{ 'arn:aws:bedrock:…:application-inference-profile/abc': 'eu.anthropic.claude-sonnet-4-6' }`
   */
  readonly profiles?: Readonly<Record<string, string>> | undefined
  /**
   * Where the other options were set. Errors that name an option show this too.
   * `{ 'pins.opus': 'ANTHROPIC_DEFAULT_OPUS_MODEL in .claude/settings.json' }`
   */
  readonly origins?: Readonly<Record<string, string>> | undefined
  /** Time, for tests. @default the real time */
  readonly clock?: Clock | undefined
}

/** The value of an option for a name. */
export interface Entry {
  readonly text: string
  /** Such as `models.pins.opus`, with its origin; left out for built-in names. */
  readonly option?: string
}

/** {@link ModelResolverOptions}, prepared for lookups. */
export interface NameTables {
  readonly aliases: ReadonlyMap<string, Entry>
  readonly pins: ReadonlyMap<string, Entry>
  readonly overrides: readonly (Entry & { readonly key: string; readonly base: string | undefined })[]
  /** The models behind opaque ARNs. */
  readonly behind: ReadonlyMap<string, string>
}

const optionNames =
  'aliases pins overrides small smallModelRegion availableModels enforceAvailableModels discovery autoProfile profiles origins clock geo residency'

/** Reads the options that define names. @throws ConfigurationError for entries that are invalid for every call */
export function readNames(options: ModelResolverOptions): NameTables {
  assertOptions(options, 'models', optionNames)
  const { aliases, pins, availableModels, smallModelRegion } = options
  const entries = (name: 'aliases' | 'pins' | 'overrides' | 'profiles'): [string, Entry][] =>
    Object.entries(options[name] ?? {}).flatMap(([key, text]: [string, unknown]) =>
      text === undefined ? [] : [[key, entryOf(options, `${name}.${key}`, text)]],
    )
  for (const key of Object.keys(pins ?? {}))
    assertOption(isFamily(key), `pins.${key}`, `is not one of ${families.join(', ')}`)
  for (const key of Object.keys(aliases ?? {}))
    assertOption(!isFullModelId(withoutWindow(key)), `aliases.${key}`, 'can never be used: a full ID is sent unchanged')
  const profiled = entries('profiles')
  for (const [arn, { text }] of profiled)
    assertOption(!!parseModelId(text).base, `profiles.${arn}`, `is not a base model: ${text}`)
  if (smallModelRegion !== undefined) assertRegion(smallModelRegion)
  const isList = Array.isArray(availableModels) && availableModels.every((entry) => typeof entry === 'string')
  assertOption(availableModels === undefined || isList, 'availableModels', 'must be a list of names')

  const overrides = entries('overrides').map(([key, { text, ...entry }]) => {
    return { ...entry, key, text: withoutWindow(text), base: claudeModelNamed(key)?.base }
  })
  const best = pins?.fable || aliases?.fable ? 'fable' : builtInAliases.best
  return {
    aliases: new Map([
      ...Object.entries({ ...builtInAliases, best }).map(([name, text]) => [name, { text }] as [string, Entry]),
      ...(options.small === undefined ? [] : [['small', entryOf(options, 'small', options.small)] as const]),
      ...entries('aliases'),
    ]),
    pins: new Map(entries('pins')),
    overrides,
    behind: new Map([
      ...overrides.map(({ text, base = '' }) => [text, base] as const),
      ...profiled.map(([arn, { text }]) => [arn, text] as const),
    ]),
  }
}

/** Names an option by its path and origin: `models.pins.opus (ANTHROPIC_DEFAULT_OPUS_MODEL)`. */
export function describeOption({ origins = {} }: ModelResolverOptions, path: string): string {
  return `models.${path}${Object.hasOwn(origins, path) ? ` (${origins[path]})` : ''}`
}

/** Returns the model with a name, Anthropic's or Bedrock's. */
export function claudeModelNamed(name: string): ClaudeModel | undefined {
  return claudeModels.find(({ base }) => isSameModel(base, name))
}

/** Removes `[1m]`, a client's suffix for the large context window, which Bedrock does not know. */
export function withoutWindow(name: string): string {
  const [text, suffix] = splitContextSuffix(name)
  return text + suffix.replace(/\[\w+\]/g, '')
}

function entryOf(options: ModelResolverOptions, path: string, text: unknown): Entry {
  const option = describeOption(options, path)
  if (typeof text === 'string' && text) return { text, option }
  throw new ConfigurationError(`${option} must be a name, not ${text === '' ? 'empty' : describeType(text)}`)
}

function assertOption(isRight: boolean, path: string, problem: string): void {
  if (!isRight) throw new ConfigurationError(`models.${path} ${problem}`)
}
