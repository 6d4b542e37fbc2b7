import { ConfigurationError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { claudeModels } from './claude-models.ts'
import { destinationsOf } from './regions.ts'
import { allowedRegions, staysWithin } from './residency.ts'
import type { InferenceProfile } from './discovery.ts'

/** Which of a model's profiles are allowed, and which is preferred. */
export interface GeographyRules {
  /**
   * `'regional'` uses the Region's own geography, and `global.` only if the model has no regional profile there.
   * `'global'` prefers `global.`, which is about 10 % cheaper and may run anywhere.
   *
   * @default 'regional'
   */
  readonly geo?: 'regional' | 'global' | undefined
  /**
   * Where calls may run: geographies (`us`, `eu`, `jp`, `au`, `in`, `apac`, `us-gov`), Regions, or both. Anything that
   * may run elsewhere is rejected before it is sent, including `global.` and ARNs that do not reveal the profile behind
   * them. A geography means all Regions that AWS counts to it: `us` includes Canada, `eu` includes London and Zurich,
   * each for calls made there. For a stricter set, name the Regions.
   *
   * @default anywhere
   */
  readonly residency?: string | readonly string[] | undefined
}

/**
 * Returns where calls may run; `undefined` for anywhere.
 *
 * @throws ConfigurationError for rules that contradict each other, or an unknown geography or Region.
 */
export function readRules({ geo, residency }: GeographyRules): readonly string[] | undefined {
  if (geo !== undefined && geo !== 'regional' && geo !== 'global')
    throw new ConfigurationError("geo must be 'regional' or 'global'")
  if (geo === 'global' && residency !== undefined)
    throw new ConfigurationError("geo: 'global' cannot be combined with residency", {
      hint: 'Remove one of the two.',
    })
  return allowedRegions(residency)
}

/** Chooses the best of a model's allowed profiles. */
export function chooseProfile(
  profiles: readonly InferenceProfile[],
  rules: GeographyRules,
): InferenceProfile | undefined {
  const allowed = readRules(rules)
  const usable = profiles.filter(({ regions }) => staysWithin(allowed, regions))
  return usable.find(({ geo }) => geo && (geo === 'global') === (rules.geo === 'global')) ?? usable[0]
}

/**
 * Returns the profiles that the catalog has for a Region. A base ID that can be called is a profile without a
 * geography.
 */
export function catalogProfiles(region: string): InferenceProfile[] {
  return claudeModels.flatMap(({ base, profiles, onDemand }) => {
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
 * Returns the ID to call a base model by from a Region, if the catalog knows one.
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
