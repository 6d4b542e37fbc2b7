import { apac7, au2, au3, eu6, eu8, gov2, in2, jp2, us3, us6 } from './regions.ts'

// By geography: the regions that calls may be routed to, and all that calls may come from. (A map, for the prefix of an
// ID may be any word, `constructor` included.)
const apac8 = [...apac7, 'ap-southeast-4']
const geographies = new Map<string, readonly [destinations: readonly string[], all: readonly string[]]>([
  ['us', [us3, us6]],
  ['eu', [eu6, eu8]],
  ['jp', [jp2, jp2]],
  ['au', [au2, au3]],
  ['in', [in2, in2]],
  ['apac', [apac8, apac8]],
  ['us-gov', [gov2, gov2]],
])

/** The regions that belong to a geography: `us` includes Canada's, `eu` London and Zurich. `undefined` for an unknown one. */
export function regionsOf(geo: string): readonly string[] | undefined {
  return geographies.get(geo)?.[1]
}

/**
 * The regions that a call through an inference profile may run in, when it is made from `source`: the geography's own
 * and the source itself. `undefined` where that is not known, and for `global`, whose regions are not listed.
 *
 * AWS does not change the destinations of an existing profile; those of the newest models are read off the older ones,
 * for their cards do not list them. The account's own truth is GetInferenceProfile in the source region.
 *
 * @example
 * ```ts
 * destinationsOf('us', 'ca-central-1') // ['us-east-1', 'us-east-2', 'us-west-2', 'ca-central-1']
 * ```
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
 */
export function destinationsOf(geo: string, source: string): readonly string[] | undefined {
  const [regions] = geographies.get(geo) ?? []
  return !regions || regions.includes(source) ? regions : [...regions, source]
}
