import { ConfigurationError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { isRegion } from '../core/internal/region.ts'
import { catalog } from './catalog.ts'
import { destinationsOf, geographyNames, regionsOf } from './regions.ts'
import type { InferenceProfile } from './discovery.ts'

/** Which of a model's profiles may be called, and which is preferred. */
export interface GeographyRules {
  /**
   * `'regional'`: the region's own geography, and `global.` only where the model has none there. `'global'`: the other
   * way round; about 10 % cheaper, and run anywhere.
   *
   * @default 'regional'
   */
  readonly geo?: 'regional' | 'global' | undefined
  /**
   * Where calls may run: geographies (`us`, `eu`, `jp`, `au`, `in`, `apac`, `us-gov`), regions, or both. Whatever may
   * leave them is refused before anything is sent, `global.` included, and an ARN that does not tell what is behind it.
   * A geography stands for all regions that AWS counts to it: `us` includes Canada's, `eu` London and Zurich, each for
   * calls made there. Name regions for less.
   *
   * @default anywhere
   */
  readonly residency?: string | readonly string[] | undefined
}

/** Where calls may run; `undefined` for anywhere. @throws ConfigurationError for what is no geography and no region. */
export function allowedRegions({ geo, residency }: GeographyRules): readonly string[] | undefined {
  if (geo !== undefined && geo !== 'regional' && geo !== 'global')
    throw new ConfigurationError("geo must be 'regional' or 'global'")
  if (residency === undefined) return undefined
  if (geo === 'global')
    throw new ConfigurationError("geo: 'global' cannot be combined with residency", {
      hint: 'Leave one of the two out.',
    })
  const allowed = [residency].flat().flatMap((entry) => regionsOf(entry) ?? (isRegion(entry) ? [entry] : []))
  if (allowed.length > 0 && [residency].flat().every((entry) => regionsOf(entry) || allowed.includes(entry)))
    return allowed
  throw new ConfigurationError(`residency must name geographies or regions, not ${JSON.stringify(residency)}`, {
    hint: `Give geographies (${geographyNames.join(', ')}) or regions.`,
  })
}

/** Whether a call that may run in `regions` stays where it may. What is not known does not. */
export function staysWithin(allowed: readonly string[] | undefined, regions: readonly string[] | undefined): boolean {
  return !allowed || (regions?.every((region) => allowed.includes(region)) ?? false)
}

/** The best of a model's profiles that may be called. */
export function chooseProfile(
  profiles: readonly InferenceProfile[],
  rules: GeographyRules,
): InferenceProfile | undefined {
  const allowed = allowedRegions(rules)
  const usable = profiles.filter(({ regions }) => staysWithin(allowed, regions))
  return usable.find(({ geo }) => geo && (geo === 'global') === (rules.geo === 'global')) ?? usable[0]
}

/** By what the catalog's models can be called from a region. Where a base ID can be, it is a profile without a geography. */
export function catalogProfiles(region: string): InferenceProfile[] {
  return catalog.flatMap(({ base, profiles, onDemand }) => {
    const geos = Object.keys(profiles).filter((geo) => profiles[geo]?.includes(region))
    const found = geos.map(
      (geo): InferenceProfile => ({
        id: `${geo}.${base}`,
        type: 'SYSTEM_DEFINED',
        base,
        geo,
        regions: destinationsOf(geo, region),
      }),
    )
    return onDemand?.includes(region)
      ? [...found, { id: base, type: 'SYSTEM_DEFINED', base, regions: [region] }]
      : found
  })
}

/**
 * The ID by which a base model can be called from a region, as far as the catalog knows.
 *
 * @example
 * ```ts
 * profileFor('anthropic.claude-sonnet-4-6', 'ap-northeast-1') // 'jp.anthropic.claude-sonnet-4-6'
 * ```
 */
export function profileFor(base: string | undefined, region: string, rules: GeographyRules = {}): string | undefined {
  assertOptions(rules, '', 'geo residency', true)
  const profiles = catalogProfiles(region).filter((profile) => profile.base === base)
  return chooseProfile(profiles, rules)?.id
}
