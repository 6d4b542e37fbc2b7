/** An AWS partition and the DNS suffixes of its hosts. */
export interface Partition {
  readonly id: string
  readonly dnsSuffix: string
  readonly dualStackDnsSuffix: string
}

// [id, beginning of its Regions, DNS suffix, dual-stack suffix]. The special ones come first: `us-gov-…` and `us-iso…`
// begin with `us-` and `eu-isoe-…` with `eu-`. From the endpoint rules that the AWS SDKs ship (partitions.json).
const table: readonly (readonly [id: string, regions: string, dnsSuffix: string, dualStackDnsSuffix: string])[] = [
  ['aws-cn', 'cn-', 'amazonaws.com.cn', 'api.amazonwebservices.com.cn'],
  ['aws-us-gov', 'us-gov-', 'amazonaws.com', 'api.aws'],
  ['aws-eusc', 'eusc-', 'amazonaws.eu', 'api.amazonwebservices.eu'],
  ['aws-iso', 'us-iso-', 'c2s.ic.gov', 'api.aws.ic.gov'],
  ['aws-iso-b', 'us-isob-', 'sc2s.sgov.gov', 'api.aws.scloud'],
  ['aws-iso-e', 'eu-isoe-', 'cloud.adc-e.uk', 'api.cloud-aws.adc-e.uk'],
  ['aws-iso-f', 'us-isof-', 'csp.hci.ic.gov', 'api.aws.hci.ic.gov'],
  ['aws', '', 'amazonaws.com', 'api.aws'],
]

/** Returns the partition of a Region; an unknown Region belongs to `aws`, as in the AWS SDKs. */
export function partitionOf(region: string): Partition {
  const [id, , dnsSuffix, dualStackDnsSuffix] = table.find(([, regions]) =>
    region.startsWith(regions),
  ) as (typeof table)[number]
  return { id, dnsSuffix, dualStackDnsSuffix }
}

/** Tests whether AWS has a partition of this name. */
export function isPartition(id: string): boolean {
  return table.some(([known]) => known === id)
}
