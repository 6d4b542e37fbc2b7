// By geography: the regions that calls may be routed to, and those that calls may only come from.
const geographies: Readonly<Partial<Record<string, readonly [destinations: readonly string[], sourcesOnly: readonly string[]]>>> = {
  us: [
    ['us-east-1', 'us-east-2', 'us-west-2'],
    ['us-west-1', 'ca-central-1', 'ca-west-1'],
  ],
  eu: [
    ['eu-central-1', 'eu-north-1', 'eu-south-1', 'eu-south-2', 'eu-west-1', 'eu-west-3'],
    ['eu-central-2', 'eu-west-2'],
  ],
  jp: [['ap-northeast-1', 'ap-northeast-3'], []],
  au: [['ap-southeast-2', 'ap-southeast-4'], ['ap-southeast-6']],
  in: [['ap-south-1', 'ap-south-2'], []],
  apac: [
    [
      ...['ap-northeast-1', 'ap-northeast-2', 'ap-northeast-3', 'ap-south-1', 'ap-south-2'],
      ...['ap-southeast-1', 'ap-southeast-2', 'ap-southeast-4'],
    ],
    [],
  ],
  'us-gov': [['us-gov-east-1', 'us-gov-west-1'], []],
}

/** The regions that belong to a geography: `us` includes Canada's, `eu` London and Zurich. `undefined` for an unknown one. */
export function regionsOf(geo: string): readonly string[] | undefined {
  return geographies[geo]?.flat()
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
  const [regions] = geographies[geo] ?? []
  return !regions || regions.includes(source) ? regions : [...regions, source]
}
