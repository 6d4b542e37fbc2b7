import type { profilePrefixes } from '../core/model-id.ts'

// What there is to know of regions, in one place. First the sets that the model cards share, each the smaller one first.
export const us3: readonly string[] = ['us-east-1', 'us-east-2', 'us-west-2']
export const us4: readonly string[] = [...us3, 'us-west-1']
export const us5: readonly string[] = [...us4, 'ca-central-1']
export const us6: readonly string[] = [...us5, 'ca-west-1']
export const eu6: readonly string[] = [
  'eu-central-1',
  'eu-north-1',
  'eu-south-1',
  'eu-south-2',
  'eu-west-1',
  'eu-west-3',
]
export const eu8: readonly string[] = [...eu6, 'eu-central-2', 'eu-west-2']
export const jp2: readonly string[] = ['ap-northeast-1', 'ap-northeast-3']
export const au2: readonly string[] = ['ap-southeast-2', 'ap-southeast-4']
export const au3: readonly string[] = [...au2, 'ap-southeast-6']
export const in2: readonly string[] = ['ap-south-1', 'ap-south-2']
export const gov2: readonly string[] = ['us-gov-east-1', 'us-gov-west-1']
export const apac7: readonly string[] = [...jp2, ...in2, 'ap-northeast-2', 'ap-southeast-1', 'ap-southeast-2']

/** Every commercial region with Bedrock. */
export const commercial: readonly string[] = [
  ...us6,
  ...eu8,
  ...apac7,
  ...['ap-east-2', 'ap-southeast-3', 'ap-southeast-4', 'ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7'],
  ...['af-south-1', 'il-central-1', 'me-central-1', 'me-south-1', 'mx-central-1', 'sa-east-1'],
]

interface Geography {
  /** Where its calls may be routed to, from whichever region they come. */
  readonly destinations: readonly string[]
  /** All regions that AWS counts to it, those included that run only their own calls. */
  readonly regions: readonly string[]
}

const apac8 = [...apac7, 'ap-southeast-4']
const known: Readonly<Record<Exclude<(typeof profilePrefixes)[number], 'global'>, Geography>> = {
  us: { destinations: us3, regions: us6 },
  'us-gov': { destinations: gov2, regions: gov2 },
  eu: { destinations: eu6, regions: eu8 },
  jp: { destinations: jp2, regions: jp2 },
  au: { destinations: au2, regions: au3 },
  in: { destinations: in2, regions: in2 },
  apac: { destinations: apac8, regions: apac8 },
}
// A map, for the prefix of an ID may be any word, `constructor` included.
const geographies: ReadonlyMap<string, Geography> = new Map(Object.entries(known))

/** The prefixes of inference profiles whose regions are known. */
export const geographyNames: readonly string[] = [...geographies.keys()]

/** The regions that belong to a geography: `us` includes Canada's, `eu` London and Zurich. `undefined` for an unknown one. */
export function regionsOf(geo: string): readonly string[] | undefined {
  return geographies.get(geo)?.regions
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
  const { destinations } = geographies.get(geo) ?? {}
  return !destinations || destinations.includes(source) ? destinations : [...destinations, source]
}
