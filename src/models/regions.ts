import type { ProfilePrefix } from '../core/model-id.ts'

// All facts about Regions. First the sets that model cards share, smallest first.
export const us3: readonly string[] = ['us-east-1', 'us-east-2', 'us-west-2']
export const us4: readonly string[] = /* @__PURE__ */ us3.concat('us-west-1')
export const us5: readonly string[] = /* @__PURE__ */ us4.concat('ca-central-1')
export const us6: readonly string[] = /* @__PURE__ */ us5.concat('ca-west-1')
export const eu6: readonly string[] = [
  'eu-central-1',
  'eu-north-1',
  'eu-south-1',
  'eu-south-2',
  'eu-west-1',
  'eu-west-3',
]
export const eu8: readonly string[] = /* @__PURE__ */ eu6.concat('eu-central-2', 'eu-west-2')
export const jp2: readonly string[] = ['ap-northeast-1', 'ap-northeast-3']
export const au2: readonly string[] = ['ap-southeast-2', 'ap-southeast-4']
export const au3: readonly string[] = /* @__PURE__ */ au2.concat('ap-southeast-6')
export const in2: readonly string[] = ['ap-south-1', 'ap-south-2']
export const gov2: readonly string[] = ['us-gov-east-1', 'us-gov-west-1']
export const apac7: readonly string[] = /* @__PURE__ */ jp2.concat(
  in2,
  'ap-northeast-2',
  'ap-southeast-1',
  'ap-southeast-2',
)

/** Every commercial Region with Bedrock. */
export const commercial: readonly string[] = /* @__PURE__ */ us6.concat(
  eu8,
  apac7,
  ['ap-east-2', 'ap-southeast-3', 'ap-southeast-4', 'ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7'],
  ['af-south-1', 'il-central-1', 'me-central-1', 'me-south-1', 'mx-central-1', 'sa-east-1'],
)

interface Geography {
  /** The Regions that its calls may be routed to, from any source Region. */
  readonly destinations: readonly string[]
  /** All Regions that AWS counts to it, including those that run only their own calls. */
  readonly regions: readonly string[]
}

const apac8 = /* @__PURE__ */ apac7.concat('ap-southeast-4')
const known: Readonly<Record<Exclude<ProfilePrefix, 'global'>, Geography>> = {
  us: { destinations: us3, regions: us6 },
  'us-gov': { destinations: gov2, regions: gov2 },
  eu: { destinations: eu6, regions: eu8 },
  jp: { destinations: jp2, regions: jp2 },
  au: { destinations: au2, regions: au3 },
  in: { destinations: in2, regions: in2 },
  apac: { destinations: apac8, regions: apac8 },
}

/** The prefixes of inference profiles whose Regions are known. */
export const geographyNames: readonly string[] = /* @__PURE__ */ Object.keys(known)

/**
 * Returns the Regions of a geography: `us` includes Canada, `eu` includes London and Zurich. `undefined` if it is
 * unknown.
 */
export function regionsOf(geo: string): readonly string[] | undefined {
  return geographyOf(geo)?.regions
}

/**
 * Returns the Regions in which a call through an inference profile may run, if it is made from `source`: those of the
 * geography, and `source` itself. `undefined` if that is unknown, and for `global`, whose Regions are not listed.
 *
 * AWS does not change the destinations of an existing profile. The newest models' cards do not list destinations, so
 * these are taken from older models. For the account's actual destinations, call GetInferenceProfile in the source
 * Region.
 *
 * @example
 * ```ts
 * destinationsOf('us', 'ca-central-1') // ['us-east-1', 'us-east-2', 'us-west-2', 'ca-central-1']
 * ```
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
 */
export function destinationsOf(geo: string, source: string): readonly string[] | undefined {
  const { destinations } = geographyOf(geo) ?? {}
  return !destinations || destinations.includes(source) ? destinations : [...destinations, source]
}

// An ID's prefix may be any word, even `constructor`.
function geographyOf(geo: string): Geography | undefined {
  return Object.hasOwn(known, geo) ? known[geo as keyof typeof known] : undefined
}
