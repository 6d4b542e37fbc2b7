import { assertOptions } from '../internal/assert-options.ts'
import { ConfigurationError } from '../errors.ts'
import { parseEndpointUrl } from '../internal/endpoint-url.ts'
import { env, envFlag } from '../internal/env.ts'
import { partitionOf } from '../internal/partitions.ts'
import { assertRegion } from '../internal/region.ts'
import { remember } from '../internal/remember.ts'
import type { EndpointOptions, Environment } from '../types.ts'

/** Bedrock's two hosts: the runtime for calling models, and the control plane for everything else. */
export type BedrockService = 'bedrock-runtime' | 'bedrock'

/**
 * Returns the base URL, without a final slash, for a service in a Region. Only here does a Region become part of a host
 * name, whether it comes from an option, an ARN or a `ModelRef`; any other text is rejected.
 *
 * @throws ConfigurationError
 */
export type EndpointResolver = (service: BedrockService, region: string) => string

/**
 * Determines where requests go: the option, else the `AWS_ENDPOINT_URL…` variables, else AWS's own host.
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 * @throws ConfigurationError at once for an invalid option; for an invalid variable, on use.
 */
export function createEndpointResolver(
  option?: string | URL | EndpointOptions,
  variables?: Environment,
): EndpointResolver {
  const options: EndpointOptions =
    typeof option === 'string' || option instanceof URL ? { url: option } : (option ?? {})
  assertOptions(options, 'endpoint', 'url control fips dualstack allowHttp')
  const { url, control, fips, dualstack, allowHttp } = options
  const httpHint = 'Use https, or endpoint.allowHttp on a trusted network.'
  const parse = (value: string | URL | undefined, name: string): URL | undefined =>
    parseEndpointUrl(value, name, { allowHttp, httpHint })
  const explicit = parse(url, 'endpoint')
  const explicitControl = parse(control, 'endpoint.control')
  if (explicit && (fips || dualstack)) throw noVariants('endpoint')

  const isOn = (name: string): boolean => envFlag(name, variables)
  const ambient = (service: BedrockService): URL | undefined => {
    // A variant in the options means AWS's own host, and explicit options win over the environment.
    if (fips || dualstack || isOn('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS')) return undefined
    const specific = `AWS_ENDPOINT_URL_${service.toUpperCase().replace('-', '_')}`
    const name = env(specific, variables) ? specific : 'AWS_ENDPOINT_URL'
    return parse(env(name, variables), name)
  }
  const resolve = (service: BedrockService, region: string): string => {
    assertRegion(region)
    const custom = (service === 'bedrock' ? explicitControl : undefined) ?? explicit ?? ambient(service)
    const isFips = fips ?? isOn('AWS_USE_FIPS_ENDPOINT')
    const isDualstack = dualstack ?? isOn('AWS_USE_DUALSTACK_ENDPOINT')
    if (!custom) {
      const { dnsSuffix, dualStackDnsSuffix } = partitionOf(region)
      return `https://${service}${isFips ? '-fips' : ''}.${region}.${isDualstack ? dualStackDnsSuffix : dnsSuffix}`
    }
    if (isFips || isDualstack) throw noVariants(custom.origin)
    return baseUrl(custom, service, region)
  }

  const known = new Map<string, string>()
  return (service, region) => remember(known, `${service}/${region}`, () => resolve(service, region))
}

function baseUrl(url: URL, service: BedrockService, region: string): string {
  const path = url.pathname.replace(/(?<!\/)\/+$/, '')
  const [, hostRegion] = /(?:^|\.)bedrock(?:-runtime)?(?:-fips)?\.([a-z]+(?:-[a-z]+)+-\d+)\./.exec(url.hostname) ?? []
  const partition = hostRegion && partitionOf(hostRegion)
  const isAwsHost =
    partition &&
    [partition.dnsSuffix, partition.dualStackDnsSuffix].some((suffix) => url.hostname.endsWith(`.${suffix}`))
  if (!isAwsHost) return url.origin + path
  if (hostRegion !== region) {
    throw new ConfigurationError(`The endpoint ${url.hostname} is in ${hostRegion}, but this call is for ${region}`, {
      hint: "Leave the endpoint out: AWS's own host follows the Region.",
    })
  }
  // AWS's two hosts differ only in the first label; an interface endpoint belongs to a single service.
  const host = url.host.replace(/^bedrock(-runtime)?(?=-fips\.|\.)/, service)
  return `${url.protocol}//${host}${path}`
}

function noVariants(name: string): ConfigurationError {
  return new ConfigurationError(`A custom endpoint (${name}) cannot be combined with FIPS or dual-stack hosts`, {
    hint: 'Use that host as the endpoint itself, or set endpoint.fips or endpoint.dualstack to false.',
  })
}
