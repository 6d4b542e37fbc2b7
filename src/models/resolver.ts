import { ConfigurationError, ModelResolutionError } from '../core/errors.ts'
import { describeType } from '../core/internal/assert-options.ts'
import { partitionOf } from '../core/internal/partitions.ts'
import { remember } from '../core/internal/remember.ts'
import { isFullModelId, parseModelId } from '../core/model-id.ts'
import type { ModelRef, ModelResolutionContext, ModelResolver, ModelSource } from '../core/types.ts'
import { createAllowList } from './allow-list.ts'
import { claudeModel, claudeModels } from './claude-models.ts'
import { createDiscovery, type InferenceProfile } from './discovery.ts'
import { explainName, type ModelExplanation, type NoteStep } from './explanation.ts'
import { createNameFollower, type Target } from './follow-name.ts'
import { catalogProfiles, chooseProfile, readRules } from './geography.ts'
import { anthropicIdOf, compareVersions, isSameModel, nearest } from './names.ts'
import { noModelId, refusal, subject, unknownName } from './refusals.ts'
import { regionsOf } from './regions.ts'
import { reachOf, staysWithin } from './residency.ts'
import { claudeModelNamed, describeOption, type ModelResolverOptions, readNames } from './resolver-options.ts'

/** A resolver that uses the catalog and can explain its decisions. */
export interface CatalogModelResolver extends ModelResolver {
  /** The options that it was created with. */
  readonly options: ModelResolverOptions
  /**
   * Lists the inference profiles that can be called from the context's Region: the account's with `discovery: true`,
   * else the catalog's.
   */
  list(context: ModelResolutionContext): Promise<readonly InferenceProfile[]>
  /** Explains step by step how a name resolves. Does not reject if the name does not resolve. */
  explain(name: string, context: ModelResolutionContext): Promise<ModelExplanation>
  /** Returns the inference profile for a base model in the context's Region, under the same rules as for names. */
  profileFor(base: string, context: ModelResolutionContext): Promise<string | undefined>
}

/**
 * Creates a resolver of model names.
 *
 * A full ID or ARN is sent unchanged. A name is followed through `overrides`, `pins` and `aliases` to an Anthropic
 * model ID, and then resolved through the account's inference profiles (`discovery`) or the catalog to the ID to call
 * in the Region. `residency` and `availableModels` are checked last, for every result.
 *
 * @example
 * ```ts
 * const bedrock = createBedrockClient({ region: 'eu-central-1', models: { pins: { opus: 'claude-opus-4-8' }, residency: 'eu' } })
 * await bedrock.models.resolve('opus') // { id: 'eu.anthropic.claude-opus-4-8', source: 'pin', … }
 * ```
 * @throws ConfigurationError for options that can never work.
 */
export function createModelResolver(options: ModelResolverOptions = {}): CatalogModelResolver {
  const { availableModels } = options
  const names = readNames(options)
  const follow = createNameFollower(options, names)
  const allowed = readRules(options)
  const residency = [options.residency ?? 'anywhere'].flat().join(', ')
  const isAvailable = createAllowList(availableModels)
  const discovery = options.discovery ? createDiscovery(options.clock) : undefined
  const isFallback = options.discovery === 'fallback'
  const warned = new Set<string>()
  const settled = new Map<string, ModelRef>()

  function decide(name: string, context: ModelResolutionContext, note: NoteStep): ModelRef | Promise<ModelRef> {
    if (typeof name !== 'string')
      throw new ConfigurationError(`A model's name must be a string, not ${describeType(name)}`)
    const target = follow(name, context.region, note)
    const { text, region, source = 'catalog' } = target
    if (isFullModelId(text)) return fromFullId(target, context, note)
    if (source === 'override' || text.startsWith('arn:')) throw noModelId(target)
    const take = (found: Found, by: ModelSource = source): ModelRef => {
      if (found instanceof Error) throw found
      return check({ ...found, source: by }, target, found.regions, note)
    }
    if (!discovery) return take(fromCatalog(target, context, note))
    const listed = async (): Promise<readonly InferenceProfile[] | Error> => {
      const profiles = await discovery.list(region, context)
      if (profiles instanceof Error) note('discovery', profiles.message)
      return profiles
    }
    const foundBy = source === 'pin' ? source : 'discovered'
    if (!isFallback)
      return listed().then((profiles) =>
        profiles instanceof Error
          ? take(fromCatalog(target, context, note))
          : take(fromAccount(target, profiles, note), foundBy),
      )
    const known = fromCatalog(target, context, note)
    // Only an Anthropic model ID can be a model that is newer than the catalog.
    if (!(known instanceof Error) || !parseModelId(text).family) return take(known)
    return listed().then((profiles) => {
      if (profiles instanceof Error) throw Object.assign(known, { hint: `${known.hint} ${profiles.message}` })
      const found = fromAccount(target, profiles, note)
      return found instanceof Error && claudeModelNamed(text) ? take(known) : take(found, foundBy)
    })
  }

  function fromFullId(target: Target, context: ModelResolutionContext, note: NoteStep): ModelRef | Promise<ModelRef> {
    const { text, source = 'explicit' } = target
    const id = parseModelId(text)
    const behind = parseModelId(names.behind.get(text) ?? '')
    const base = id.base ?? claudeModel(target.model)?.base ?? behind.base
    const geo = id.geo ?? behind.geo
    const region = id.region ?? target.region
    const regions = reachOf({ kind: id.kind, geo }, region)
    note('explicit', `${text} is sent unchanged`)
    if ((base && !claudeModel(base)) || (geo && geo !== 'global' && !regionsOf(geo))) {
      context.logger.debug(`The catalog does not know ${text}, which is sent unchanged`)
    }
    const finish = (found?: InferenceProfile): ModelRef =>
      check(
        { id: text, base: base ?? found?.base, geo: id.geo, source },
        { ...target, region },
        regions ?? found?.regions,
        note,
      )
    const isOpaque = !id.base && id.kind.endsWith('inference-profile')
    if (!discovery || !isOpaque || (base && (!allowed || regions))) return finish()
    return discovery.lookUp(text, context).then((found) => {
      if (found instanceof Error) note('discovery', found.message)
      else note('discovery', `the account says it is ${found.base ?? 'an unknown model'}`)
      return finish(found instanceof Error ? undefined : found)
    })
  }

  function fromCatalog(target: Target, { logger }: ModelResolutionContext, note: NoteStep): Found {
    const { text, region, family } = target
    const model = claudeModelNamed(text)
    if (!model) return unknownName(target, nearestTo(text))
    const profiles = catalogProfiles(region)
    let profile = choose(profiles, target, model.base)
    if (!profile) {
      const known = anthropicIdOf(model.base)
      const problem = `cannot be called from ${within(region)}`
      // A family's name takes the nearest version that can be called: the next older one, else the next newer one.
      const own = parseModelId(model.base)
      const versions = target.anyVersion ? versionsOf(profiles, target) : []
      profile =
        versions.find(({ base }) => compareVersions(parseModelId(base ?? '').version, own.version) < 0) ??
        versions.at(-1)
      if (!profile) {
        const retired = model.state === 'retired' ? `; it retired on ${model.endOfLife}` : ''
        return refusal(
          `${subject({ ...target, text: known })} ${problem}${retired}`,
          [],
          idsOf(versionsOf(profiles, { ...target, family: own.family })),
        )
      }
      const message = `${known} ${problem}; ${family} is ${profile.id} there`
      note('alias', message)
      if (!warned.has(message)) logger.warn(message)
      warned.add(message)
    }
    note('catalog', `${profile.base} is ${profile.id} in ${region}`)
    return profile
  }

  function fromAccount(target: Target, profiles: readonly InferenceProfile[], note: NoteStep): Found {
    const { text, region, isDefault } = target
    // With 'fallback', a family's name keeps its version.
    const anyVersion = target.anyVersion && !isFallback
    const usable = profiles.filter(
      ({ type, status = 'ACTIVE', base, id }) =>
        type === 'SYSTEM_DEFINED' && status === 'ACTIVE' && (!anyVersion || isAvailable({ model: base, id })),
    )
    const configured = choose(usable, target, text)
    const profile = anyVersion && !(isDefault && configured) ? versionsOf(usable, target)[0] : configured
    if (!profile) {
      const problem = `has no inference profile in this account that can be called from ${within(region)}`
      return refusal(`${subject(target)} ${problem}`, nearestTo(text), idsOf(profiles))
    }
    note('discovery', `the account has ${profile.id} in ${region}`)
    return profile
  }

  /** Chooses the profile to call a model by. */
  function choose(
    profiles: readonly InferenceProfile[],
    { isDefault }: Target,
    model: string,
  ): InferenceProfile | undefined {
    const own = profiles.filter(({ base }) => base && isSameModel(base, model))
    return chooseProfile(own, isDefault && !allowed ? { geo: 'global' } : options)
  }

  /** Returns the profiles for each active model of a family, newest first. */
  function versionsOf(profiles: readonly InferenceProfile[], target: Target): InferenceProfile[] {
    return [...new Set(profiles.map(({ base = '' }) => base))]
      .map((base) => ({ base, ...parseModelId(base) }))
      .filter(({ base, family }) => family === target.family && (claudeModel(base)?.state ?? 'active') === 'active')
      .sort((a, b) => compareVersions(b.version, a.version))
      .flatMap(({ base }) => choose(profiles, target, base) ?? [])
  }

  function check(
    { id, base, geo, source }: Pick<ModelRef, 'id' | 'base' | 'geo' | 'source'>,
    { model = base, family, region, isExempt }: Target,
    regions: readonly string[] | undefined,
    note: NoteStep,
  ): ModelRef {
    note('residency', residency)
    note('availableModels', isExempt ? 'not enforced' : (availableModels?.join(', ') ?? 'all'))
    if (!staysWithin(allowed, regions && [region, ...regions])) {
      throw new ModelResolutionError(
        `${id}, called from ${region}, ${regions || geo ? 'leaves' : 'may leave'} ${residency}`,
        {
          hint: 'Use a Region and a profile that stay there. For an ARN, name its model in `profiles`, or set `discovery`.',
        },
      )
    }
    const meant = model ?? (family && `claude-${family}`)
    if (!isExempt && !isAvailable({ model: meant, id: source === 'override' ? undefined : id })) {
      throw new ModelResolutionError(`${meant ?? id} is not among the available models`, {
        hint: `${describeOption(options, 'availableModels')}: ${availableModels?.join(', ') || 'none'}.`,
        candidates: availableModels,
      })
    }
    const { family: ofFamily = family, version } = parseModelId(model ?? '')
    const { partition = partitionOf(region).id } = parseModelId(id)
    return { id, base, family: ofFamily, version, region, partition, geo, source }
  }

  function nearestTo(text: string): string[] {
    return nearest(text, [
      ...names.aliases.keys(),
      ...names.overrides.map(({ key }) => key),
      ...claudeModels.map(({ base }) => anthropicIdOf(base)),
    ]).filter((name) => !isSameModel(name, text))
  }

  function within(region: string): string {
    return allowed ? `${region} without leaving ${residency}` : region
  }

  async function profilesIn(context: ModelResolutionContext): Promise<readonly InferenceProfile[]> {
    const { region } = context
    const listed = isFallback ? undefined : await discovery?.list(region, context)
    return listed && !(listed instanceof Error) ? listed : catalogProfiles(region).filter(({ geo }) => geo)
  }

  return {
    options,
    resolve(name, context) {
      const key = `${context.region} ${name}`
      const known = settled.get(key)
      if (known) return known
      const model = decide(name, context, () => {})
      // Results from the network may change; others never do.
      return model instanceof Promise ? model : remember(settled, key, () => model)
    },
    explain: (name, context) => explainName(name, context.region, (note) => decide(name, context, note)),
    list: profilesIn,
    async profileFor(base, context) {
      const own = (await profilesIn(context)).filter((profile) => profile.base === base && profile.geo)
      return chooseProfile(own, options)?.id
    },
  }
}

/** The profile to call a model by, or the error. */
type Found = InferenceProfile | ModelResolutionError

function idsOf(profiles: readonly InferenceProfile[]): string[] {
  return profiles.flatMap(({ base, id }) => (base?.startsWith('anthropic.') ? id : []))
}
