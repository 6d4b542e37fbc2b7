import { isPartition, partitionOf } from './internal/partitions.ts'
import { isRegion } from './internal/region.ts'

/** An ID or ARN, taken apart. What the ID does not say is left out. */
export interface ParsedModelId {
  /**
   * What is named, in the words of Bedrock's ARNs: `foundation-model` (a base ID), `inference-profile` (a base ID behind
   * a geography), `application-inference-profile`, `provisioned-model`, `custom-model`, … For everything that is neither
   * an ARN nor a dotted ID: `name`.
   */
  readonly kind: string
  /** The base model, such as `anthropic.claude-sonnet-4-6`. An opaque ARN does not tell. */
  readonly base?: string
  /** The first part of the base model, such as `anthropic`. */
  readonly provider?: string
  /** The Claude family, such as `sonnet`. */
  readonly family?: string
  /** The version within the family, such as `4.6`. */
  readonly version?: string
  /** The prefix of an inference profile, such as `us`, `us-gov` or `global`. */
  readonly geo?: string
  /** The rest of the members are an ARN's. */
  readonly partition?: string
  /** `bedrock`, or `sagemaker` for an endpoint. */
  readonly service?: string
  readonly region?: string
  readonly account?: string
  /** What is named, where it is not made of `geo` and `base`. */
  readonly resource?: string
  /** How much context is meant, as it was spelled: `:200k`, `[1m]`. */
  readonly suffix?: string
}

// The longest `modelId` in AWS's service model.
const maxLength = 2048
// Whatever else an ARN has in it belongs to no model, and may have been meant for a place where the text ends up.
const arn = /^arn:([a-z-]+):(bedrock|sagemaker):([a-z\d-]*):(\d{12})?:([a-z-]+)\/([a-zA-Z\d][\w.:/-]*)$/
const contextMark = /(?::\d{1,6}[km]|\[\d{1,6}[km]\])$/i
/** The prefixes of inference profiles, by geography. */
export const profilePrefixes = ['us', 'us-gov', 'eu', 'jp', 'au', 'in', 'apac', 'global'] as const
// A model's own name may have dots (`zai.glm-4.7`), so a prefix that nobody knows yet counts as one only before a word.
const dottedId = new RegExp(
  `^(?:((?:${profilePrefixes.join('|')})(?=\\.[a-z\\d]+\\.)|[a-z]+(?:-[a-z]+)*(?=\\.[a-z]+\\.[a-z]))\\.)?(([a-z][a-z\\d]*)\\.([a-z][\\w.:-]*))$`,
)
// `claude-3-5-haiku-20241022-v1:0`, `claude-opus-4-5-20251101`, `claude-sonnet-4-6`, `claude-opus-5`.
const claude = /^claude-(?:(\d)(?:-(\d))?-)?([a-z]+)(?:-(\d{1,2})(?:-(\d{1,2}))?)?(?![^-:])/

/**
 * Whether Bedrock can be asked for this as it is: a well-formed ARN of a model, or an ID with a provider in it.
 *
 * @example
 * ```ts
 * isFullModelId('us.anthropic.claude-sonnet-4-6') // true
 * isFullModelId('sonnet') // false
 * ```
 */
export function isFullModelId(name: string): boolean {
  return parseModelId(name).kind !== 'name'
}

/**
 * Takes a model ID, an inference profile ID or an ARN apart. Never fails: what it does not know is of kind `name`, as is
 * an ARN that is not well-formed or whose region is not in its partition, and {@link formatModelId} gives back what came
 * in.
 *
 * @example
 * ```ts
 * parseModelId('us.anthropic.claude-sonnet-4-6')
 * // { kind: 'inference-profile', geo: 'us', base: 'anthropic.claude-sonnet-4-6', provider: 'anthropic', family: 'sonnet', version: '4.6' }
 * parseModelId('arn:aws:bedrock:us-east-2:123456789012:application-inference-profile/abc')
 * // { kind: 'application-inference-profile', partition: 'aws', service: 'bedrock', region: 'us-east-2', account: '123456789012', resource: 'abc' }
 * ```
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
 */
export function parseModelId(id: string): ParsedModelId {
  if (id.length > maxLength) return { kind: 'name', resource: id }
  const [text, suffix] = splitContextSuffix(id)
  const tail = suffix ? { suffix } : {}
  const [, partition = '', service, region = '', account, type, resource = ''] = arn.exec(text) ?? []
  if (!service || !type || !isIn(partition, region)) {
    const model = dotted(text)
    if (!model) return { kind: 'name', ...claudeOf(text), resource: text, ...tail }
    return { kind: model.geo ? 'inference-profile' : 'foundation-model', ...model, ...tail }
  }
  return {
    kind: type,
    // Only these are named after a model; what else has a dot in it has it by chance.
    ...((/^(foundation-model|inference-profile)$/.test(type) && dotted(resource)) || { resource }),
    partition,
    service,
    ...(region && { region }),
    ...(account && { account }),
    ...tail,
  }
}

/** Puts an ID or ARN together again. */
export function formatModelId({
  kind,
  geo,
  base,
  partition,
  service,
  region = '',
  account = '',
  resource,
  suffix = '',
}: ParsedModelId): string {
  const name = base ? (geo ? `${geo}.${base}` : base) : resource
  return `${partition ? `arn:${partition}:${service}:${region}:${account}:${kind}/` : ''}${name}${suffix}`
}

/** Takes the marks for the size of the context (`:200k`, `[1m]`) off the end of a name. */
export function splitContextSuffix(id: string): [name: string, suffix: string] {
  let end = id.length
  for (;;) {
    // One mark at a time, looked for in the last few characters: one pattern for all of them would be quadratic.
    const [mark] = contextMark.exec(id.slice(Math.max(1, end - 9), end)) ?? []
    if (!mark) return [id.slice(0, end), id.slice(end)]
    end -= mark.length
  }
}

function isIn(partition: string, region: string): boolean {
  return region ? isRegion(region) && partitionOf(region).id === partition : isPartition(partition)
}

function dotted(text: string): Pick<ParsedModelId, 'base' | 'provider' | 'family' | 'version' | 'geo'> | undefined {
  const [, geo, base, provider, model = ''] = dottedId.exec(text) ?? []
  if (!base || !provider) return undefined
  return { ...(geo && { geo }), base, provider, ...claudeOf(model) }
}

function claudeOf(model: string): Pick<ParsedModelId, 'family' | 'version'> {
  const [, oldMajor, oldMinor, family, major = oldMajor, minor = oldMinor] = claude.exec(model) ?? []
  if (!family) return {}
  return { family, ...(major && { version: minor ? `${major}.${minor}` : major }) }
}
