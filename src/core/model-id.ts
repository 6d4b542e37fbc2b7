import { isPartition, partitionOf } from './internal/partitions.ts'
import { isRegion } from './internal/region.ts'

/** The parts of an ID or ARN. Parts that the ID does not contain are left out. */
export interface ParsedModelId {
  /**
   * The kind of resource, in the words of Bedrock's ARNs: `foundation-model` (a base ID), `inference-profile` (a base
   * ID with a geography), `application-inference-profile`, `provisioned-model`, `custom-model`, … Anything but an ARN
   * or a dotted ID is a `name`.
   */
  readonly kind: string
  /** The base model, such as `anthropic.claude-sonnet-4-6`. Unknown for an opaque ARN. */
  readonly base?: string
  /** The first part of the base model, such as `anthropic`. */
  readonly provider?: string
  /** The Claude family, such as `sonnet`. */
  readonly family?: string
  /** The version within the family, such as `4.6`. */
  readonly version?: string
  /** The prefix of an inference profile, such as `us`, `us-gov` or `global`. */
  readonly geo?: string
  /** The remaining members belong to ARNs. */
  readonly partition?: string
  /** `bedrock`, or `sagemaker` for an endpoint. */
  readonly service?: string
  readonly region?: string
  readonly account?: string
  /** The resource, unless it consists of `geo` and `base`. */
  readonly resource?: string
  /** The context size, as it was spelled: `:200k`, `[1m]`. */
  readonly suffix?: string
}

// The longest `modelId` in AWS's service model.
const maxLength = 2048
// Other characters do not belong to a model's ARN, and may be an injection into the place where the text ends up.
const arn = /^arn:([a-z-]+):(bedrock|sagemaker):([a-z\d-]*):(\d{12})?:([a-z-]+)\/([a-zA-Z\d][\w.:/-]*)$/
const contextMark = /(?::\d{1,6}[km]|\[\d{1,6}[km]\])$/i
/** The prefixes of inference profiles, by geography. */
export type ProfilePrefix = 'us' | 'us-gov' | 'eu' | 'jp' | 'au' | 'in' | 'apac' | 'global'
// A model's own name may contain dots (`zai.glm-4.7`), so an unknown prefix counts as one only before a word.
const dottedId =
  /^(?:((?:us|us-gov|eu|jp|au|in|apac|global)(?=\.[a-z\d]+\.)|[a-z]+(?:-[a-z]+)*(?=\.[a-z]+\.[a-z]))\.)?(([a-z][a-z\d]*)\.([a-z][\w.:-]*))$/
// `claude-3-5-haiku-20241022-v1:0`, `claude-opus-4-5-20251101`, `claude-sonnet-4-6`, `claude-opus-5`.
const claude = /^claude-(?:(\d)(?:-(\d))?-)?([a-z]+)(?:-(\d{1,2})(?:-(\d{1,2}))?)?(?![^-:])/

/**
 * Tests whether Bedrock accepts an ID as it is: a well-formed ARN of a model, or an ID with a provider in it.
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
 * Parses a model ID, an inference profile ID or an ARN. Never fails: anything unknown has the kind `name`, including an
 * ARN that is malformed or whose Region is not in its partition. {@link formatModelId} returns the original text.
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
    // Only these are named after a model; dots in other resources mean nothing.
    ...((/^(foundation-model|inference-profile)$/.test(type) && dotted(resource)) || { resource }),
    partition,
    service,
    ...(region && { region }),
    ...(account && { account }),
    ...tail,
  }
}

/** Formats a parsed ID or ARN. */
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

/** Splits the suffixes for the context size (`:200k`, `[1m]`) from the end of a name. */
export function splitContextSuffix(id: string): [name: string, suffix: string] {
  let end = id.length
  for (;;) {
    // One suffix at a time, searched in the last few characters, because one pattern for all would be quadratic.
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
