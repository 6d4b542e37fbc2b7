import { RefusedRequest } from '../anthropic/errors.ts'
import { ConfigurationError } from '../core/errors.ts'
import { costOf } from '../usage/cost.ts'
import { accessLogEntry } from './access-log.ts'
import { createActivity } from './activity.ts'
import { createAdmission } from './admission.ts'
import { assertCaller, type Caller } from './caller.ts'
import { createCallerBudget } from './caller-budget.ts'
import { withPasswordAsKey } from './basic-auth.ts'
import { describeError, errorResponseFor } from './errors.ts'
import type { RequestContext, RouteTraits } from './request-context.ts'
import type { GatewayBackend } from './backend.ts'
import type { GatewayContext } from './gateway-context.ts'
import { createGatewayMetrics } from './gateway-metrics.ts'
import { type GatewayOptions, resolveOptions } from './options.ts'
import { createReadiness } from './readiness.ts'
import { findRoute, type RouteMatch } from './routes.ts'
import type { GatewaySnapshot } from './snapshot.ts'
import { clientLeft, watched } from './watched-response.ts'

/** Claude on Bedrock for a team, behind one address. */
export interface Gateway {
  /** Answers a request. Never rejects: errors become responses. */
  readonly fetch: (request: Request) => Promise<Response>
  /** Returns current calls, usage and errors as plain data. For the operator, because errors may name the account. */
  snapshot(): GatewaySnapshot
  /**
   * Makes `/healthz` and `/readyz` answer 503 from now on, so that load balancers send nothing new. Requests that still
   * arrive are served. Resolves as soon as no call is in progress or waiting.
   */
  drain(): Promise<void>
}

/**
 * Creates a gateway: Claude on Bedrock for a team, with its own keys, limits and metrics. It serves Anthropic's API
 * (`/v1/messages`) and Bedrock's (`/model/…/invoke`), and signs with the client's credentials.
 *
 * @example
 * ```ts
 * import { createBedrockClient } from 'outcrop'
 * import { apiKeys, createGateway } from 'outcrop/gateway'
 *
 * const gateway = createGateway(createBedrockClient({ region: 'us-east-1' }), {
 *   authenticate: apiKeys([{ id: 'alice', sha256: env.ALICE_KEY_SHA256, models: ['sonnet', 'haiku'] }]),
 * })
 * export default { fetch: gateway.fetch }
 * ```
 * @throws ConfigurationError without `authenticate`, and for invalid options.
 */
export function createGateway(bedrock: GatewayBackend, given: GatewayOptions): Gateway {
  if (typeof bedrock?.fetch !== 'function') throw new ConfigurationError('createGateway needs a Bedrock client')
  const options = resolveOptions(given)
  const { basePath, clock, exposeUpstreamErrors, logger } = options
  const started = clock.now()
  const admission = createAdmission(options)
  const metrics = createGatewayMetrics(admission)
  const budget = createCallerBudget(options)
  const activity = createActivity(budget.spentToday)
  // Requests in progress, and the callers of `drain` that wait for their end.
  let open = 0
  let onIdle: (() => void) | undefined
  let drained: Promise<void> | undefined

  const readiness = createReadiness(bedrock, { model: options.readinessModel, clock, logger })
  const snapshot = (): GatewaySnapshot => ({
    now: clock.now(),
    started,
    draining: drained !== undefined,
    readiness: readiness.last,
    active: admission.active,
    maxConcurrent: options.maxConcurrent,
    queued: admission.queued,
    ...activity.read(clock.now()),
  })

  const gateway: GatewayContext = {
    ...options,
    bedrock,
    budget,
    readiness: readiness.ask,
    isDraining: () => drained !== undefined,
    renderMetrics: metrics.render,
    snapshot,
  }

  const authenticate = async (
    request: Request,
    { access, isPage = false }: RouteTraits,
  ): Promise<Caller | undefined> => {
    if (access === 'open' || (access === 'operator' && !isPage && options.openMetrics)) return undefined
    const caller = await identify(isPage ? withPasswordAsKey(request) : request)
    if (!caller) throw unauthenticated(request.headers, isPage)
    if (access === 'caller' || caller.operator) return caller
    throw new RefusedRequest(403, 'This key may not see the activity of all callers: it is not an operator')
  }

  const identify = async (request: Request): Promise<Caller | undefined> => {
    try {
      const caller = await options.authenticate(request)
      if (!caller) return undefined
      assertCaller(caller)
      return { ...caller, guardrail: caller.guardrail ?? options.guardrail }
    } catch (error) {
      logger.error('authenticate failed', error)
      throw new RefusedRequest(500, 'The gateway could not identify the caller')
    }
  }

  /** Records a finished request. Never rejects. */
  const finish = async (context: RequestContext, status: number): Promise<void> => {
    const ended = clock.now()
    context.cost = context.prices && costOf(context.usage(), context.prices)
    activity.end(context, status, ended)
    metrics.end(context, status, ended)
    // Probes that go well come every few seconds.
    const isQuiet = context.route.access === 'open' && status < 400
    try {
      if (!isQuiet) options.accessLog?.(accessLogEntry(context, status, ended))
    } catch (error) {
      logger.error('accessLog failed', error)
    }
    await budget.settle(context)
    open--
    if (open === 0) onIdle?.()
  }

  const answer = async (request: Request, url: URL, match: RouteMatch): Promise<Response> => {
    const { route, params } = match
    const context: RequestContext = {
      request,
      url,
      route,
      params,
      started: clock.now(),
      isStream: false,
      usage: () => ({}),
    }
    let leave = (): void => {}
    open++
    activity.begin(context)
    try {
      context.caller = await authenticate(request, route)
      if (route.isInference) leave = await admission.enter(request.signal)
      const response = await route.answer(context, gateway)
      return watched(response, context, clock, (status) => {
        leave()
        return finish(context, status)
      })
    } catch (error) {
      leave()
      const { aborted } = request.signal
      if (!aborted) context.error ??= describeError(error)
      const response = aborted ? clientLeft() : errorResponseFor(route.api, error, exposeUpstreamErrors)
      logger[response.status >= 500 ? 'warn' : 'debug'](`Answered ${response.status}`, error)
      await finish(context, response.status)
      return response
    }
  }

  return {
    fetch: async (request) => {
      const url = new URL(request.url)
      return answer(request, url, findRoute(request.method, withoutBase(url.pathname, basePath), options))
    },
    snapshot,
    drain() {
      drained ??= new Promise((resolve) => {
        onIdle = resolve
        if (open === 0) resolve()
      })
      return drained
    },
  }
}

/** Removes the gateway's base path. A path outside of it becomes one that no route has. */
function withoutBase(pathname: string, basePath: string): string {
  if (pathname !== basePath && !pathname.startsWith(`${basePath}/`)) return ''
  return pathname.slice(basePath.length) || '/'
}

function unauthenticated(headers: Headers, isPage: boolean): RefusedRequest {
  const isSigned = /^AWS4-/.test(headers.get('authorization') ?? '')
  const how = isSigned
    ? "The gateway does not accept AWS signatures. Send the gateway's key in addition, as x-api-key, or instead, as AWS_BEARER_TOKEN_BEDROCK."
    : 'Send a key of this gateway as x-api-key or as Authorization: Bearer.'
  return new RefusedRequest(401, `The key is missing or unknown. ${how}`, {
    headers: { 'www-authenticate': isPage ? 'Basic realm="Outcrop gateway", charset="UTF-8"' : 'Bearer' },
  })
}
