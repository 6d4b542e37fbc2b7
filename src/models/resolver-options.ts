import { ConfigurationError } from '../core/errors.ts'
import { assertOptions, describeType } from '../core/internal/assert-options.ts'
import { assertRegion } from '../core/internal/region.ts'
import { isFullModelId, parseModelId, splitContextSuffix } from '../core/model-id.ts'
import type { Clock } from '../core/types.ts'
import { type CatalogModel, catalog } from './catalog.ts'
import { builtInAliases, families, isFamily, type ModelFamily } from './families.ts'
import type { GeographyRules } from './geography.ts'
import { isSameModel } from './names.ts'

/** An ID of Anthropic's own API, such as `claude-sonnet-4-6` or `claude-opus-4-5-20251101`. */
export type AnthropicModelId = `claude-${string}`

/**
 * How names become models. An entry that means nothing, such as a pin to a model that does not exist, fails the calls that
 * use it and no others.
 */
export interface ModelResolverOptions extends GeographyRules {
  /**
   * Names of your own for a model ID, an ARN, an Anthropic model ID or another alias. They go before the built-in ones:
   * `default`, `small`, `sonnet`, `opus`, `haiku`, `fable`, `best` and `opusplan`.
   */
  readonly aliases?: Readonly<Record<string, string>> | undefined
  /** The one version that each family's name stands for, as a model ID, an ARN or an Anthropic model ID. */
  readonly pins?: Readonly<Partial<Record<ModelFamily, string | undefined>>> | undefined
  /**
   * Model IDs and ARNs to call in place of Anthropic model IDs, as `modelOverrides` of Claude Code:
   * `{ 'claude-opus-4-6': 'arn:aws:bedrock:us-east-2:123456789012:application-inference-profile/opus-46-prod' }`.
   */
  readonly overrides?: Readonly<Record<AnthropicModelId, string>> | undefined
  /** What `small` stands for. @default 'haiku' */
  readonly small?: string | undefined
  /** The region where `small` and `haiku` are called. @default the client's region */
  readonly smallModelRegion?: string | undefined
  /**
   * The only models that may be called: families (`sonnet`), beginnings of versions (`claude-opus-4-5`), full IDs. Matched
   * against the model that is meant, not against what an override puts in its place. An entry for one version of a
   * family takes the place of the entry for the whole family.
   *
   * @default every model
   */
  readonly availableModels?: readonly string[] | undefined
  /**
   * Whether `availableModels` holds for `default` and `small` too. In Claude Code it does not unless
   * `enforceAvailableModels` says so: the default model and the one for work in the background stay what they are. A
   * `default` or `small` among the `aliases` is a choice, which the list holds for.
   *
   * @default true
   */
  readonly enforceAvailableModels?: boolean | undefined
  /**
   * Ask the account which inference profiles it has.
   *
   * - `true`: when a name first needs it. What the account has decides, and a family's name is its newest model there.
   * - `'fallback'`: only for what the catalog does not know: an Anthropic model ID that is newer, or has no profile in the
   *   region, and what is behind the ARN of an application inference profile. No alias and no pin becomes another model.
   *
   * Needs `bedrock:ListInferenceProfiles` and `bedrock:GetInferenceProfile`; without them the catalog decides, and a
   * warning says so.
   *
   * @default false
   */
  readonly discovery?: boolean | 'fallback' | undefined
  /** Repeat a call once through its inference profile when Bedrock says that its base ID cannot be called. @default false */
  readonly autoProfile?: boolean | undefined
  /**
   * What is behind ARNs that do not tell: a base model, or AWS's profile that was copied, which also says where it runs.
   * `{ 'arn:aws:bedrock:…:application-inference-profile/abc': 'eu.anthropic.claude-sonnet-4-6' }`
   */
  readonly profiles?: Readonly<Record<string, string>> | undefined
  /**
   * Where the other options were set, for people: errors that name an option name this too.
   * `{ 'pins.opus': 'ANTHROPIC_DEFAULT_OPUS_MODEL in .claude/settings.json' }`
   */
  readonly origins?: Readonly<Record<string, string>> | undefined
  /** Time, for tests. @default the real time */
  readonly clock?: Clock | undefined
}

/** What an option says of a name. */
export interface Entry {
  readonly text: string
  /** Such as `models.pins.opus`, with its origin; left out for what is built in. */
  readonly option?: string
}

/** {@link ModelResolverOptions}, ready to look names up in. */
export interface NameTables {
  readonly aliases: ReadonlyMap<string, Entry>
  readonly pins: ReadonlyMap<string, Entry>
  readonly overrides: readonly (Entry & { readonly key: string; readonly base: string | undefined })[]
  /** The models behind ARNs that do not tell. */
  readonly behind: ReadonlyMap<string, string>
}

const optionNames =
  'aliases pins overrides small smallModelRegion availableModels enforceAvailableModels discovery autoProfile profiles origins clock geo residency'

/** Reads the options that give names a meaning. @throws ConfigurationError for what cannot be one, whatever is asked for */
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
    return { ...entry, key, text: withoutWindow(text), base: catalogModelNamed(key)?.base }
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

/** An option by its path, and where it was set: `models.pins.opus (ANTHROPIC_DEFAULT_OPUS_MODEL)`. */
export function describeOption({ origins = {} }: ModelResolverOptions, path: string): string {
  return `models.${path}${Object.hasOwn(origins, path) ? ` (${origins[path]})` : ''}`
}

/** The catalog's model that a name means, Anthropic's or Bedrock's. */
export function catalogModelNamed(name: string): CatalogModel | undefined {
  return catalog.find(({ base }) => isSameModel(base, name))
}

/** A name without `[1m]`, a client's own mark for the large context window. Bedrock does not know it. */
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
