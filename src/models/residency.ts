import { ConfigurationError } from '../core/errors.ts'
import { isRegion } from '../core/internal/region.ts'
import { destinationsOf, geographyNames, regionsOf } from './regions.ts'

/**
 * Returns the Regions that geographies and Regions stand for; `undefined` for anywhere.
 *
 * @throws ConfigurationError for an unknown geography or Region.
 */
export function allowedRegions(residency: string | readonly string[] | undefined): readonly string[] | undefined {
  if (residency === undefined) return undefined
  const allowed = [residency].flat().flatMap((entry) => regionsOf(entry) ?? (isRegion(entry) ? [entry] : []))
  if (allowed.length > 0 && [residency].flat().every((entry) => regionsOf(entry) || allowed.includes(entry)))
    return allowed
  throw new ConfigurationError(`residency must name geographies or Regions, not ${JSON.stringify(residency)}`, {
    hint: `Use geographies (${geographyNames.join(', ')}) or Regions.`,
  })
}

// These run in the Region where they are called. Anything else without a geography may run anywhere.
const staysInRegion = /^((foundation|provisioned|custom|imported)-model|custom-model-deployment|endpoint)$/

/** Returns the Regions that a model called from `region` may run in; `undefined` if they are not known, as for `global`. */
export function reachOf(
  { kind, geo }: { readonly kind: string; readonly geo?: string | undefined },
  region: string,
): readonly string[] | undefined {
  if (geo) return destinationsOf(geo, region)
  return staysInRegion.test(kind) ? [region] : undefined
}

/** Tests whether a call that may run in `regions` stays within `allowed`. Unknown Regions do not. */
export function staysWithin(allowed: readonly string[] | undefined, regions: readonly string[] | undefined): boolean {
  return !allowed || (regions?.every((region) => allowed.includes(region)) ?? false)
}
