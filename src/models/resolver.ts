import { ConfigurationError, ModelResolutionError } from '../core/errors.ts'
import { partitionOf } from '../core/internal/partitions.ts'
import { assertRegion } from '../core/internal/region.ts'
import type { Clock, ModelRef, ModelResolutionContext, ModelResolver, ModelSource } from '../core/types.ts'
import { createAllowList } from './allow-list.ts'
import { catalog, catalogModel } from './catalog.ts'
import { destinationsOf, regionsOf } from './destinations.ts'
import { createDiscovery, type InferenceProfile } from './discovery.ts'
import { describe, type ModelExplanation, type ResolutionStep } from './explanation.ts'
import { allowedRegions, catalogProfiles, chooseProfile, type GeographyRules, profileFor, staysWithin } from './geography.ts'
import { isFullModelId, parseModelId } from './model-id.ts'
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
  readonly pins?: Readonly<Partial<Record<ModelFamily, string>>> | undefined
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

/** What a name came down to, before geography. */
interface Target {
  /** A full ID, or an Anthropic model ID. */
  readonly text: string
  readonly source?: ModelSource
  /** The model that is meant, where `text` does not tell: an override's key. */
  readonly model?: string | undefined
  readonly region: string
  /** The family, where the name was its own: another version of it will do if there is no other way. */
  readonly family?: string | undefined
  readonly isDefault: boolean
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
  const { smallModelRegion } = options
  const allowed = allowedRegions(options)
  const isAvailable = createAllowList(options.availableModels)
  const discovery = options.discovery ? createDiscovery(options.clock) : undefined
  const aliases = new Map(Object.entries({ ...builtIn, ...(options.small && { small: options.small }), ...options.aliases }))
  const pins = new Map(Object.entries(options.pins ?? {}))
  const overrides = Object.entries(options.overrides ?? {}).map(([key, id]) => ({ key, id: withoutWindow(id), base: named(key)?.base }))
  const behind = new Map([...overrides.flatMap(({ id, base }) => (base ? [[id, base] as const] : [])), ...Object.entries(options.profiles ?? {})])
  const warned = new Set<string>()
  validate()

  function follow(name: string, clientRegion: string, note: Note): Target {
    let text = withoutWindow(name)
    let region = clientRegion
    let source: ModelSource | undefined
    let family: string | undefined
    let isDefault = false
    for (const seen = new Set<string>(); !isFullModelId(text); ) {
      if (seen.has(text)) throw new ConfigurationError(`The model aliases lead in a circle: ${[...seen, text].join(' → ')}`)
      seen.add(text)
      const override = overrides.find(({ key }) => isSameModel(key, text))
      if (override) {
        note('override', `${override.key} is ${override.id}`)
        return { text: override.id, source: 'override', model: override.base ?? override.key, region, isDefault }
      }
      if (text === 'default') isDefault = true
      if (smallModelRegion && (text === 'small' || text === 'haiku')) {
        region = smallModelRegion
        note('region', `${text} is called in ${region}`)
      }
      const pin = pins.get(text)
      const next = pin ?? aliases.get(text)
      if (next === undefined) break
      source = pin ? 'pin' : 'alias'
      note(source, `${text} is ${next}`)
      family = families.includes(text) ? text : undefined
      if (!pin && options.aliases?.[text]) family = undefined
      text = withoutWindow(next)
    }
    return { text, ...(source && { source }), region, family, isDefault }
  }

  function decide(name: string, context: ModelResolutionContext, note: Note): ModelRef | Promise<ModelRef> {
    const target = follow(name, context.region, note)
    if (isFullModelId(target.text)) return fromFullId(target, context, note)
    if (!discovery) {
      note('discovery', 'off')
      return fromCatalog(target, context, note)
    }
    return discovery.list(target.region, context).then((profiles) => {
      note('discovery', profiles ? `${profiles.length} inference profiles in ${target.region}` : 'the account cannot be asked')
      return profiles ? fromAccount(target, profiles, note) : fromCatalog(target, context, note)
    })
  }

  function fromFullId(target: Target, context: ModelResolutionContext, note: Note): ModelRef | Promise<ModelRef> {
    const { text, source = 'explicit' } = target
    const id = parseModelId(text)
    const told = parseModelId(behind.get(text) ?? '')
    const base = id.base ?? catalogModel(target.model)?.base ?? told.base
    const region = id.region ?? target.region
    if (source === 'explicit') note('explicit', `${text} goes out as it is`)
    if (id.region && id.region !== context.region) note('region', `the ARN is in ${id.region}`)
    const geo = id.geo ?? told.geo
    const regions = geo ? destinationsOf(geo, region) : staysInRegion.test(id.kind) ? [region] : undefined
    if ((base && !catalogModel(base)) || (geo && geo !== 'global' && !regionsOf(geo))) {
      context.logger.debug(`The catalog does not know ${text}, which goes out as it is`)
    }
    const finish = (found?: InferenceProfile): ModelRef => {
      const model = base ?? found?.base
      if (!id.base) note('base', model ? `${text} is ${model}` : `nobody says what ${text} is`)
      return check({ ...describeModel(model ?? target.model), id: text, base: model, geo: id.geo, source }, target, regions ?? found?.regions, region, note)
    }
    const isOpaque = !id.base && id.kind.endsWith('inference-profile')
    return discovery && isOpaque && (!base || (allowed && !regions)) ? discovery.lookUp(text, context).then(finish) : finish()
  }

  function fromCatalog(target: Target, { logger }: ModelResolutionContext, note: Note): ModelRef {
    const { text, region, source = 'catalog' } = target
    const model = named(text)
    if (!model) throw unknownName(text)
    const rules = rulesFor(target)
    let id = profileFor(model.base, region, rules)
    if (!id && target.family) {
      // The nearest version that can be called: the next older one, else the next newer.
      const others = catalog
        .filter(({ family, base, lifecycle }) => family === target.family && lifecycle.state === 'active' && profileFor(base, region, rules))
        .sort((a, b) => compareVersions(a.version, b.version))
      const other = others.findLast(({ version }) => compareVersions(version, model.version) < 0) ?? others[0]
      id = other && profileFor(other.base, region, rules)
      if (id) {
        const message = `${model.anthropicId} cannot be called from ${region}${options.residency ? ' under this residency' : ''}; ${target.family} is ${id} there`
        note('catalog', message)
        if (!warned.has(message)) logger.warn(`${message}. Pin a version to settle it.`)
        warned.add(message)
      }
    }
    if (!id) throw unreachable(target, model)
    const { base, geo } = parseModelId(id)
    note('catalog', `${base} is ${id} in ${region}`)
    return check({ ...describeModel(base), id, base, geo, source }, target, geo ? destinationsOf(geo, region) : [region], region, note)
  }

  function fromAccount(target: Target, profiles: readonly InferenceProfile[], note: Note): ModelRef {
    const { text, family, region, source } = target
    const usable = profiles.filter(
      ({ type, status = 'ACTIVE', base, id }) => type === 'SYSTEM_DEFINED' && status === 'ACTIVE' && base && (!family || isAvailable({ model: base, id })),
    )
    const rules = rulesFor(target)
    const choose = (matches: (base: string) => boolean): InferenceProfile | undefined =>
      chooseProfile(
        usable.filter(({ base = '' }) => matches(base)),
        rules,
      )
    const newest = (): InferenceProfile | undefined =>
      usable
        .map(({ base = '' }) => ({ base, ...parseModelId(base) }))
        .filter((model) => model.family === family && (catalogModel(model.base)?.lifecycle.state ?? 'active') === 'active')
        .sort((a, b) => compareVersions(b.version, a.version))
        .map(({ base }) => choose((other) => other === base))
        .find(Boolean)
    const configured = choose((base) => isSameModel(base, text))
    const profile = family ? (target.isDefault && configured) || newest() : configured
    if (!profile) throw unknownName(text, profiles, region)
    note('discovery', `the account has ${profile.id}`)
    const ref = { ...describeModel(profile.base), id: profile.id, base: profile.base, geo: profile.geo }
    return check({ ...ref, source: source === 'pin' ? source : 'discovered' }, target, profile.regions, region, note)
  }

  function check(
    model: Omit<ModelRef, 'region' | 'partition'>,
    target: Target,
    regions: readonly string[] | undefined,
    region: string,
    note: Note,
  ): ModelRef {
    const { id, base, source } = model
    note('residency', allowed ? [options.residency].flat().join(', ') : 'anywhere')
    if (!staysWithin(allowed, regions && [region, ...regions])) {
      throw new ModelResolutionError(`${id}, called from ${region}, may run outside ${[options.residency].flat().join(', ')}`, {
        hint: regions
          ? 'Call it from a region, and through a profile, of the residency.'
          : 'It does not tell where it runs. Say what is behind an ARN with `profiles`, or let `discovery` ask.',
      })
    }
    const meant = base ?? target.model ?? (model.family && `claude-${model.family}`)
    note('availableModels', options.availableModels?.join(', ') ?? 'every model')
    if (!isAvailable({ model: meant, id: source === 'override' ? undefined : id })) {
      throw new ModelResolutionError(`${meant ?? id} is not among the available models`, {
        hint: `availableModels allows: ${options.availableModels?.join(', ') || 'none'}.`,
        candidates: options.availableModels,
      })
    }
    const { partition = partitionOf(region).id } = parseModelId(id)
    return { ...model, family: model.family ?? target.family, region, partition }
  }

  function rulesFor({ isDefault }: Target): GeographyRules {
    return isDefault && !allowed ? { geo: 'global' } : options
  }

  function unknownName(text: string, account?: readonly InferenceProfile[], region?: string): ModelResolutionError {
    const known = [...aliases.keys(), ...overrides.map(({ key }) => key), ...catalog.map(({ anthropicId }) => anthropicId)]
    const candidates = [...new Set([...nearest(text, known), ...(account ?? []).flatMap(({ base, id }) => (base?.includes('claude') ? id : []))])]
    return new ModelResolutionError(account ? `${text} is no model that the account has in ${region}` : `${text} is no model, alias or ARN`, {
      candidates,
      hint: candidates.length > 0 ? `These are: ${candidates.join(', ')}.` : 'Give an alias such as sonnet, an Anthropic model ID, a Bedrock model ID or an ARN.',
    })
  }

  function unreachable(target: Target, { anthropicId, family, lifecycle }: (typeof catalog)[number]): ModelResolutionError {
    const { region } = target
    const candidates = catalog.flatMap((model) => (model.family === family && profileFor(model.base, region, options)) || [])
    const end = lifecycle.state === 'retired' ? `; it was retired on ${lifecycle.endOfLife}` : ''
    const where = allowed ? ` without leaving ${[options.residency].flat().join(', ')}` : ''
    return new ModelResolutionError(`No way is known to call ${anthropicId} from ${region}${where}${end}`, {
      candidates,
      hint: candidates.length > 0 ? `Of this family there is: ${candidates.join(', ')}.` : `Give a full model ID, or use another region.`,
    })
  }

  function validate(): void {
    if (smallModelRegion !== undefined) assertRegion(smallModelRegion)
    for (const family of pins.keys()) {
      if (!families.includes(family)) throw new ConfigurationError(`pins.${family} is no family`, { hint: `Families are ${families.join(', ')}.` })
    }
    for (const { key, id } of overrides) {
      if (!isFullModelId(id)) throw new ConfigurationError(`overrides['${key}'] is neither a Bedrock model ID nor an ARN: ${id}`)
    }
    for (const [arn, model] of Object.entries(options.profiles ?? {})) {
      if (!parseModelId(model).base) throw new ConfigurationError(`profiles['${arn}'] is no base model: ${model}`)
    }
    for (const name of [...aliases.keys(), ...pins.keys()]) {
      if (isFullModelId(name)) throw new ConfigurationError(`The alias ${name} can never be used: full IDs and ARNs go out as they are`)
      const { text } = follow(name, '', () => {})
      if (!discovery && !isFullModelId(text) && !named(text)) {
        throw new ConfigurationError(`${name} leads to ${text}, which is no model`, { hint: unknownName(text).hint })
      }
    }
  }

  return {
    resolve: (name, context) => decide(name, context, () => {}),
    async list(context) {
      return (await discovery?.list(context.region, context)) ?? catalog.flatMap((model) => catalogProfiles(model, context.region))
    },
    async explain(name, context) {
      const steps: ResolutionStep[] = []
      try {
        const model = await decide(name, context, (step, outcome) => steps.push({ step, outcome }))
        return describe({ name, region: context.region, steps, model })
      } catch (error) {
        return describe({ name, region: context.region, steps, error: error as Error })
      }
    },
    async profileFor(base, context) {
      const profiles = await discovery?.list(context.region, context)
      if (!profiles) return profileFor(base, context.region, options)
      return chooseProfile(
        profiles.filter((profile) => profile.base === base && profile.type === 'SYSTEM_DEFINED'),
        options,
      )?.id
    },
  }
}

function describeModel(model = ''): Pick<ModelRef, 'family' | 'version'> {
  const { family, version } = parseModelId(model)
  return { family, version }
}

function named(name: string): (typeof catalog)[number] | undefined {
  return catalog.find(({ base }) => isSameModel(base, name))
}

// `[1m]` is a client's own mark for the large context window. Bedrock does not know it.
function withoutWindow(name: string): string {
  return name.replace(/(\[\d+[km]\])+$/i, '')
}
