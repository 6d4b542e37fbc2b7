import { ConfigurationError, ModelResolutionError } from '../core/errors.ts'
import { partitionOf } from '../core/internal/partitions.ts'
import { assertRegion } from '../core/internal/region.ts'
import type { Clock, ModelRef, ModelResolutionContext, ModelResolver, ModelSource } from '../core/types.ts'
import { createAllowList } from './allow-list.ts'
import { type CatalogModel, catalog, catalogModel } from './catalog.ts'
import { destinationsOf, regionsOf } from './destinations.ts'
import { createDiscovery, type InferenceProfile } from './discovery.ts'
import { describe, type ModelExplanation, type ResolutionStep } from './explanation.ts'
import { allowedRegions, catalogProfiles, chooseProfile, type GeographyRules, staysWithin } from './geography.ts'
import { isFullModelId, parseModelId, splitContextSuffix } from '../core/model-id.ts'
import { compareVersions, isSameModel, nearest } from './names.ts'

/** An ID of Anthropic's own API, such as `claude-sonnet-4-6` or `claude-opus-4-5-20251101`. */
export type AnthropicModelId = `claude-${string}`

/** A model family that can be pinned. */
export type ModelFamily = 'opus' | 'sonnet' | 'haiku' | 'fable'

/** How names become models. */
export interface ModelResolverOptions extends GeographyRules {
  /**
   * Names of your own for a model ID, an ARN, an Anthropic model ID or another alias. They go before the built-in ones:
   * `default`, `small`, `sonnet`, `opus`, `haiku`, `fable`.
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
   * Ask the account which inference profiles it has, when a name first needs it. Needs `bedrock:ListInferenceProfiles`
   * and `bedrock:GetInferenceProfile`; without them the catalog decides, and a warning says so.
   *
   * @default false
   */
  readonly discovery?: boolean | undefined
  /** Repeat a call once through its inference profile when Bedrock says that its base ID cannot be called. @default false */
  readonly autoProfile?: boolean | undefined
  /**
   * What is behind ARNs that do not tell: a base model, or AWS's profile that was copied, which also says where it runs.
   * `{ 'arn:aws:bedrock:…:application-inference-profile/abc': 'eu.anthropic.claude-sonnet-4-6' }`
   */
  readonly profiles?: Readonly<Record<string, string>> | undefined
  /** Time, for tests. @default the real time */
  readonly clock?: Clock | undefined
}

/** A resolver that knows the catalog, and can say what it does. */
export interface CatalogModelResolver extends ModelResolver {
  /** What it was made with. */
  readonly options: ModelResolverOptions
  /** The inference profiles that can be called from the context's region: the account's with discovery, else the catalog's. */
  list(context: ModelResolutionContext): Promise<readonly InferenceProfile[]>
  /** How a name resolves, step by step. Does not reject when it does not. */
  explain(name: string, context: ModelResolutionContext): Promise<ModelExplanation>
  /** The inference profile by which a base model can be called from the context's region, under the same rules as names. */
  profileFor(base: string, context: ModelResolutionContext): Promise<string | undefined>
}

// The setup page's defaults: Sonnet 4.6, Opus 4.6, Haiku 4.5. It has no Fable; 5.1 needs a data retention setting first.
const builtIn: Readonly<Record<string, string>> = {
  default: 'sonnet',
  small: 'haiku',
  sonnet: 'claude-sonnet-4-6',
  opus: 'claude-opus-4-6',
  haiku: 'claude-haiku-4-5',
  fable: 'claude-fable-5',
}
const families: readonly string[] = ['opus', 'sonnet', 'haiku', 'fable'] satisfies ModelFamily[]

// These run where they are called; whatever else has no geography does not tell where.
const staysInRegion = /^((foundation|provisioned|custom|imported)-model|custom-model-deployment|endpoint)$/

/** What a name comes down to, before geography. */
interface Target {
  /** A full ID, or an Anthropic model ID. */
  readonly text: string
  /** The last step that changed the name. */
  readonly source?: ModelSource
  readonly region: string
  /** The model that is meant, where `text` does not tell: an override's key. */
  readonly model?: string | undefined
  /** The family whose name led here. */
  readonly family?: string | undefined
  /** Nobody chose this version: another one of the family will do. */
  readonly anyVersion?: boolean
  readonly isDefault?: boolean
}

type Note = (step: ResolutionStep['step'], outcome: string) => void

/**
 * Makes a resolver of model names.
 *
 * A full ID or ARN goes out untouched. A name goes through `overrides`, `pins` and `aliases` until it is an Anthropic
 * model ID, and from there through the account's inference profiles (`discovery`) or the catalog, to the ID that its
 * region calls it by. `residency` and `availableModels` are checked last, for all alike.
 *
 * @example
 * ```ts
 * const bedrock = createBedrockClient({ region: 'eu-central-1', models: { pins: { opus: 'claude-opus-4-8' }, residency: 'eu' } })
 * await bedrock.models.resolve('opus') // { id: 'eu.anthropic.claude-opus-4-8', source: 'pin', … }
 * ```
 * @throws ConfigurationError for options that can never work.
 */
export function createModelResolver(options: ModelResolverOptions = {}): CatalogModelResolver {
  const { smallModelRegion, availableModels } = options
  const allowed = allowedRegions(options)
  const residency = [options.residency ?? 'anywhere'].flat().join(', ')
  if (
    availableModels &&
    !(Array.isArray(availableModels) && availableModels.every((entry) => typeof entry === 'string'))
  )
    throw new ConfigurationError('models.availableModels must be a list of names')
  const isAvailable = createAllowList(availableModels)
  const discovery = options.discovery ? createDiscovery(options.clock) : undefined
  const aliases = new Map(
    [builtIn, { small: options.small }, options.aliases].flatMap((names) => entriesOf(names, 'aliases')),
  )
  const pins = new Map(entriesOf(options.pins, 'pins'))
  const overrides = entriesOf(options.overrides, 'overrides').map(([key, id]) => ({
    key,
    id: withoutWindow(id),
    base: named(key)?.base,
  }))
  const behind = new Map([
    ...overrides.map(({ id, base = '' }) => [id, base] as const),
    ...entriesOf(options.profiles, 'profiles'),
  ])
  const warned = new Set<string>()
  const settled = new Map<string, ModelRef>()
  validate()

  function follow(name: string, clientRegion: string, note: Note): Target {
    let target: Target = { text: withoutWindow(name), region: clientRegion }
    for (const seen = new Set<string>(); !isFullModelId(target.text); ) {
      const { text, region, isDefault } = target
      if (seen.has(text))
        throw new ConfigurationError(`The model aliases lead in a circle: ${[...seen, text].join(' → ')}`)
      seen.add(text)
      const override = overrides.find(({ key }) => isSameModel(key, text))
      if (override) {
        note('override', `${override.key} is ${override.id}`)
        return { region, text: override.id, source: 'override', model: override.base ?? override.key }
      }
      const pin = pins.get(text)
      const next = pin ?? aliases.get(text)
      if (next === undefined) break
      const source = pin ? 'pin' : 'alias'
      note(source, `${text} is ${next}`)
      target = {
        text: withoutWindow(next),
        source,
        region: (/^(small|haiku)$/.test(text) && smallModelRegion) || region,
        // The setup page's default is global. One that somebody chose is called as its own name is.
        isDefault: isDefault || (text === 'default' && !Object.hasOwn(options.aliases ?? {}, text)),
        family: families.includes(text) ? text : undefined,
        anyVersion: !pin && !Object.hasOwn(options.aliases ?? {}, text),
      }
    }
    return target
  }

  function decide(name: string, context: ModelResolutionContext, note: Note): ModelRef | Promise<ModelRef> {
    if (typeof name !== 'string') throw new ConfigurationError(`A model's name is a string, not ${typeof name}`)
    const target = follow(name, context.region, note)
    if (isFullModelId(target.text)) return fromFullId(target, context, note)
    if (target.text.startsWith('arn:')) throw malformedArn(target.text)
    if (!discovery) return fromCatalog(target, context, note)
    const listed = discovery.list(target.region, context)
    return listed.then((profiles) =>
      profiles ? fromAccount(target, profiles, note) : fromCatalog(target, context, note),
    )
  }

  function fromFullId(target: Target, context: ModelResolutionContext, note: Note): ModelRef | Promise<ModelRef> {
    const { text, source = 'explicit' } = target
    const id = parseModelId(text)
    const told = parseModelId(behind.get(text) ?? '')
    const base = id.base ?? catalogModel(target.model)?.base ?? told.base
    const geo = id.geo ?? told.geo
    const region = id.region ?? target.region
    const regions = geo ? destinationsOf(geo, region) : staysInRegion.test(id.kind) ? [region] : undefined
    note('explicit', `${text} goes out as it is`)
    if ((base && !catalogModel(base)) || (geo && geo !== 'global' && !regionsOf(geo))) {
      context.logger.debug(`The catalog does not know ${text}, which goes out as it is`)
    }
    const finish = (found?: InferenceProfile): ModelRef =>
      check(
        { id: text, base: base ?? found?.base, geo: id.geo, source },
        { ...target, region },
        regions ?? found?.regions,
        note,
      )
    const isOpaque = !id.base && id.kind.endsWith('inference-profile')
    return discovery && isOpaque && (!base || (allowed && !regions))
      ? discovery.lookUp(text, context).then(finish)
      : finish()
  }

  function fromCatalog(target: Target, { logger }: ModelResolutionContext, note: Note): ModelRef {
    const { text, region, family, source = 'catalog' } = target
    const model = named(text)
    if (!model) throw unknown(`${text} is no model, alias or ARN`, nearestTo(text))
    const profiles = catalogProfiles(region)
    let profile = choose(profiles, target, model.base)
    if (!profile) {
      const problem = `${model.anthropicId} cannot be called from ${within(region)}`
      // A family's name will take the nearest version that can be called: the next older one, else the next newer.
      const versions = target.anyVersion ? versionsOf(profiles, target) : []
      profile =
        versions.find(({ base }) => compareVersions(parseModelId(base ?? '').version, model.version) < 0) ??
        versions.at(-1)
      if (!profile) {
        const { state, endOfLife } = model.lifecycle
        throw unknown(
          problem + (state === 'retired' ? `; it retired on ${endOfLife}` : ''),
          idsOf(versionsOf(profiles, { ...target, family: model.family })),
        )
      }
      const message = `${problem}; ${family} is ${profile.id} there`
      note('alias', message)
      if (!warned.has(message)) logger.warn(message)
      warned.add(message)
    }
    note('catalog', `${profile.base} is ${profile.id} in ${region}`)
    return check({ ...profile, source }, target, profile.regions, note)
  }

  function fromAccount(target: Target, profiles: readonly InferenceProfile[], note: Note): ModelRef {
    const { text, region, source, anyVersion, isDefault } = target
    const usable = profiles.filter(
      ({ type, status = 'ACTIVE', base, id }) =>
        type === 'SYSTEM_DEFINED' && status === 'ACTIVE' && (!anyVersion || isAvailable({ model: base, id })),
    )
    const configured = choose(usable, target, text)
    const profile = anyVersion && !(isDefault && configured) ? versionsOf(usable, target)[0] : configured
    if (!profile)
      throw unknown(`The account has no ${text} that can be called from ${within(region)}`, [
        ...nearestTo(text),
        ...idsOf(profiles),
      ])
    note('discovery', `the account has ${profile.id} in ${region}`)
    return check({ ...profile, source: source === 'pin' ? source : 'discovered' }, target, profile.regions, note)
  }

  /** The profile to call a model by. */
  function choose(
    profiles: readonly InferenceProfile[],
    { isDefault }: Target,
    model: string,
  ): InferenceProfile | undefined {
    const own = profiles.filter(({ base }) => base && isSameModel(base, model))
    return chooseProfile(own, isDefault && !allowed ? { geo: 'global' } : options)
  }

  /** The profiles to call each active model of a family by, newest first. */
  function versionsOf(profiles: readonly InferenceProfile[], target: Target): InferenceProfile[] {
    return [...new Set(profiles.map(({ base = '' }) => base))]
      .map((base) => ({ base, ...parseModelId(base) }))
      .filter(
        ({ base, family }) =>
          family === target.family && (catalogModel(base)?.lifecycle.state ?? 'active') === 'active',
      )
      .sort((a, b) => compareVersions(b.version, a.version))
      .flatMap(({ base }) => choose(profiles, target, base) ?? [])
  }

  function check(
    { id, base, geo, source }: Pick<ModelRef, 'id' | 'base' | 'geo' | 'source'>,
    { model = base, family, region }: Target,
    regions: readonly string[] | undefined,
    note: Note,
  ): ModelRef {
    note('residency', residency)
    note('availableModels', availableModels?.join(', ') ?? 'all')
    if (!staysWithin(allowed, regions && [region, ...regions])) {
      throw new ModelResolutionError(
        `${id}, called from ${region}, ${regions || geo ? 'leaves' : 'may leave'} ${residency}`,
        {
          hint: 'Use a region and a profile that stay there. What is behind an ARN, `profiles` or `discovery` can tell.',
        },
      )
    }
    const meant = model ?? (family && `claude-${family}`)
    if (!isAvailable({ model: meant, id: source === 'override' ? undefined : id })) {
      throw new ModelResolutionError(`${meant ?? id} is not among the available models`, {
        hint: `These are: ${availableModels?.join(', ') || 'none'}.`,
        candidates: availableModels,
      })
    }
    const { family: ofFamily = family, version } = parseModelId(model ?? '')
    const { partition = partitionOf(region).id } = parseModelId(id)
    return { id, base, family: ofFamily, version, region, partition, geo, source }
  }

  function nearestTo(text: string): string[] {
    return nearest(text, [
      ...aliases.keys(),
      ...overrides.map(({ key }) => key),
      ...catalog.map(({ anthropicId }) => anthropicId),
    ])
  }

  function within(region: string): string {
    return allowed ? `${region} without leaving ${residency}` : region
  }

  function validate(): void {
    const require = (isRight: boolean, option: string, problem: string): void => {
      if (!isRight) throw new ConfigurationError(`models.${option} ${problem}`)
    }
    if (smallModelRegion !== undefined) assertRegion(smallModelRegion)
    for (const family of pins.keys())
      require(families.includes(family), `pins.${family}`, `is none of ${families.join(', ')}`)
    for (const { key, id } of overrides)
      require(isFullModelId(id), `overrides.${key}`, `is neither a model ID nor an ARN: ${id}`)
    for (const [arn, model] of behind)
      require(!model || !!parseModelId(model).base, `profiles['${arn}']`, `is no base model: ${model}`)
    for (const name of [...aliases.keys(), ...pins.keys()]) {
      const { text } = follow(name, '', () => {})
      require(name !== text, `aliases['${name}']`, 'can never be used: a full ID goes out as it is')
      require(!!discovery ||
        isFullModelId(text) ||
        !!named(text), `aliases or pins: ${name}`, `leads to ${text}, which is no model`)
    }
  }

  async function profilesIn(context: ModelResolutionContext): Promise<readonly InferenceProfile[]> {
    const { region } = context
    return (await discovery?.list(region, context)) ?? catalogProfiles(region).filter(({ geo }) => geo)
  }

  return {
    options,
    resolve(name, context) {
      const key = `${context.region} ${name}`
      const known = settled.get(key)
      if (known) return known
      const model = decide(name, context, () => {})
      // What needed the network may change; the rest never does. Names may come from outside, so their number is limited.
      if (!(model instanceof Promise)) {
        if (settled.size === 500) settled.clear()
        settled.set(key, model)
      }
      return model
    },
    async explain(name, context) {
      const steps: ResolutionStep[] = []
      const note: Note = (step, outcome) => steps.push({ step, outcome })
      try {
        return describe({ name, region: context.region, steps, model: await decide(name, context, note) })
      } catch (error) {
        return describe({ name, region: context.region, steps, error: error as Error })
      }
    },
    list: profilesIn,
    async profileFor(base, context) {
      const own = (await profilesIn(context)).filter((profile) => profile.base === base && profile.geo)
      return chooseProfile(own, options)?.id
    },
  }
}

function unknown(problem: string, candidates: readonly string[]): ModelResolutionError {
  const hint =
    candidates.length > 0
      ? `Did you mean ${candidates.slice(0, 3).join(' or ')}?`
      : 'Give an alias such as sonnet, an Anthropic model ID, a Bedrock model ID or an ARN.'
  return new ModelResolutionError(problem, { candidates, hint })
}

/** What an option gives a meaning to. Settings may hold anything. */
function entriesOf(
  names: Readonly<Record<string, string | undefined>> | undefined,
  option: string,
): [string, string][] {
  return Object.entries(names ?? {}).flatMap(([name, meaning]) => {
    if (meaning === undefined) return []
    if (typeof meaning === 'string' && meaning) return [[name, meaning]]
    throw new ConfigurationError(`models.${option}['${name}'] is no name, but ${JSON.stringify(meaning)}`)
  })
}

function malformedArn(text: string): ModelResolutionError {
  return new ModelResolutionError(`Not the ARN of a model: ${JSON.stringify(text.slice(0, 200))}`, {
    hint: 'It looks like arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc, with a region of its partition.',
  })
}

function idsOf(profiles: readonly InferenceProfile[]): string[] {
  return profiles.flatMap(({ base, id }) => (base?.startsWith('anthropic.') ? id : []))
}

function named(name: string): CatalogModel | undefined {
  return catalog.find(({ base }) => isSameModel(base, name))
}

// `[1m]` is a client's own mark for the large context window. Bedrock does not know it.
function withoutWindow(name: string): string {
  const [text, suffix] = splitContextSuffix(name)
  return text + suffix.replace(/\[\w+\]/g, '')
}
