import { reasonMissing } from '../anthropic/anthropic-fetch.ts'
import { RefusedRequest } from '../anthropic/errors.ts'
import { answerHello, answerMessages, answerModels, dropEvents } from './anthropic-routes.ts'
import { applyGuardrail, getInferenceProfile, invokeModel, listInferenceProfiles } from './bedrock-routes.ts'
import type { RequestContext, RouteTraits, ApiFormat } from './request-context.ts'
import type { GatewayContext } from './gateway-context.ts'
import { showHealth, showMetrics, showReadiness, showStatusPage } from './operator-routes.ts'

/** A route of the gateway. */
export interface Route extends RouteTraits {
  readonly answer: (context: RequestContext, gateway: GatewayContext) => Response | Promise<Response>
}

const anthropic = { api: 'anthropic', access: 'caller', isInference: false } as const
const bedrock = { api: 'bedrock', access: 'caller', isInference: false } as const
const inference = { isInference: true }
const own = { api: 'anthropic', access: 'open', isInference: false } as const

const noRoute = { method: 'GET', path: 'unknown', access: 'open', isInference: false } as const

/** All routes of the gateway. */
export const routes: readonly Route[] = [
  { ...anthropic, ...inference, method: 'POST', path: '/v1/messages', answer: answerMessages },
  { ...anthropic, ...inference, method: 'POST', path: '/v1/messages/count_tokens', answer: answerMessages },
  { ...anthropic, method: 'GET', path: '/v1/models', answer: answerModels },
  { ...anthropic, method: 'GET', path: '/v1/models/{model}', answer: answerModels },
  // Claude Code sends these requests when it starts.
  { ...own, method: 'HEAD', path: '/api/hello', answer: answerHello },
  { ...own, method: 'GET', path: '/api/hello', answer: answerHello },
  { ...own, method: 'POST', path: '/api/event_logging/batch', answer: dropEvents },

  { ...bedrock, ...inference, method: 'POST', path: '/model/{model}/invoke', answer: invokeModel },
  { ...bedrock, ...inference, method: 'POST', path: '/model/{model}/invoke-with-response-stream', answer: invokeModel },
  { ...bedrock, ...inference, method: 'POST', path: '/model/{model}/count-tokens', answer: invokeModel },
  { ...bedrock, method: 'GET', path: '/inference-profiles', answer: listInferenceProfiles },
  { ...bedrock, method: 'GET', path: '/inference-profiles/{profile}', answer: getInferenceProfile },
  { ...bedrock, method: 'POST', path: '/guardrail/{guardrail}/version/{version}/apply', answer: applyGuardrail },

  { ...own, method: 'GET', path: '/healthz', answer: showHealth },
  { ...own, method: 'GET', path: '/readyz', answer: showReadiness },
  { ...own, access: 'operator', method: 'GET', path: '/metrics', answer: showMetrics },
  { ...own, access: 'operator', isPage: true, method: 'GET', path: '/', answer: showStatusPage },
]

/** A matched route. */
export interface RouteMatch {
  readonly route: Route
  readonly params: RequestContext['params']
}

/** The routes to serve. */
export interface ServedRoutes {
  readonly wires: readonly ApiFormat[]
  /** Whether to serve the status page. */
  readonly statusPage: boolean
}

/** Finds the route of a request. Without one, returns a route that answers 404 or 405. */
export function findRoute(method: string, pathname: string, served: ServedRoutes): RouteMatch {
  const segments = pathname
    .replace(/(?<=.)\/$/, '')
    .split('/')
    .slice(1)
  const fitting = compiled.flatMap(({ route, pattern }) => {
    const params = isServed(route, served) ? matchSegments(pattern, segments) : undefined
    return params ? [{ route, params }] : []
  })
  const found = fitting.find(({ route }) => route.method === method)
  if (found) return found
  const allow = [...new Set(fitting.map(({ route }) => route.method))].join(', ')
  const api = /^(model|inference-profiles|guardrail)$/.test(segments[0] ?? '') ? 'bedrock' : 'anthropic'
  const answer = (): never => {
    if (allow) throw new RefusedRequest(405, 'This method is not allowed here', { headers: { allow } })
    throw new RefusedRequest(404, api === 'anthropic' ? reasonMissing(pathname) : 'Not found')
  }
  return { route: { ...noRoute, api, answer }, params: {} }
}

function isServed({ access, isPage, api }: Route, { wires, statusPage }: ServedRoutes): boolean {
  if (isPage) return statusPage
  return access !== 'caller' || wires.includes(api)
}

const compiled = routes.map((route) => ({ route, pattern: route.path.split('/').slice(1) }))

function matchSegments(pattern: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== segments.length) return undefined
  const params: Record<string, string> = {}
  for (const [i, part] of pattern.entries()) {
    const segment = segments[i] as string
    const name = /^\{(\w+)\}$/.exec(part)?.[1]
    if (!name) {
      if (part !== segment) return undefined
      continue
    }
    const value = decodeSegment(segment)
    if (!value) return undefined
    params[name] = value
  }
  return params
}

// Decoded once, because clients encode once: further escapes belong to the name.
function decodeSegment(segment: string): string | undefined {
  if (segment.length > 6_144) return undefined
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
