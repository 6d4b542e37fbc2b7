import type { RequestContext } from './request-context.ts'
import type { GatewayContext } from './gateway-context.ts'
import { metricsContentType } from './prometheus.ts'
import { renderStatusPage } from './status-page/status-page.ts'

/** Reports whether the process serves requests; 503 while it drains. */
export function showHealth(_: RequestContext, { isDraining }: GatewayContext): Response {
  return isDraining() ? status(503, 'draining') : status(200, 'ok')
}

/** Reports whether Bedrock can be reached with the gateway's credentials; only the log says why not. */
export async function showReadiness(_: RequestContext, { isDraining, readiness }: GatewayContext): Promise<Response> {
  if (isDraining()) return status(503, 'draining')
  const { isReady } = await readiness()
  return isReady ? status(200, 'ready') : status(503, 'not ready')
}

/** Shows the metrics to Prometheus. */
export function showMetrics(_: RequestContext, { renderMetrics }: GatewayContext): Response {
  return new Response(renderMetrics(), { headers: { 'content-type': metricsContentType, 'cache-control': 'no-store' } })
}

/** Shows the gateway's activity to an operator's browser. */
export function showStatusPage({ url }: RequestContext, { snapshot }: GatewayContext): Response {
  const nonce = crypto.randomUUID()
  const seconds = Number(url.searchParams.get('refresh'))
  const refresh = Number.isInteger(seconds) && seconds >= 2 && seconds <= 3600 ? seconds : undefined
  return new Response(renderStatusPage(snapshot(), { nonce, refresh }), {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      // The page shows names and error messages from outside. If one were not escaped, it would still run nothing.
      'content-security-policy': `default-src 'none'; style-src 'nonce-${nonce}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
  })
}

function status(code: number, text: string): Response {
  return Response.json({ status: text }, { status: code, headers: { 'cache-control': 'no-store' } })
}
