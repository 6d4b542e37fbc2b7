import type { TokenUsage } from '../core/types.ts'
import type { RequestContext } from './request-context.ts'

/** A request in the access log, without its content or the key. */
export interface AccessLogEntry {
  /** When it arrived, in RFC 3339. */
  readonly time: string
  /** The caller's ID. Left out for an unauthenticated request. */
  readonly key?: string | undefined
  readonly method: string
  /** The route, such as `/model/{model}/invoke`; `unknown` for an unknown path. */
  readonly route: string
  readonly status: number
  readonly model?: string | undefined
  /** Whether the response was streamed. */
  readonly stream?: boolean | undefined
  readonly usage?: TokenUsage | undefined
  /** In the currency of the prices. */
  readonly cost?: number | undefined
  /** Milliseconds until the end. */
  readonly duration: number
  /** Milliseconds until the first bytes of the body. */
  readonly firstByte?: number | undefined
  /** AWS's request ID. */
  readonly requestId?: string | undefined
  /** The Claude Code session, from the header `x-claude-code-session-id`. */
  readonly session?: string | undefined
  /** The type of the error, such as `ThrottlingException`. */
  readonly error?: string | undefined
}

/** Creates the log entry of a request. */
export function accessLogEntry(context: RequestContext, status: number, ended: number): AccessLogEntry {
  const { request, route, caller, started, firstByte, model, isStream, cost, requestId, error } = context
  const session = request.headers.get('x-claude-code-session-id') ?? ''
  const usage = context.usage()
  return {
    time: new Date(started).toISOString(),
    ...(caller && { key: caller.id }),
    method: route.method,
    route: route.path,
    status,
    ...(model !== undefined && { model, stream: isStream }),
    ...(Object.keys(usage).length > 0 && { usage }),
    ...(cost !== undefined && { cost }),
    duration: ended - started,
    ...(firstByte !== undefined && { firstByte: firstByte - started }),
    ...(requestId !== undefined && { requestId }),
    ...(/^[\w-]{1,64}$/.test(session) && { session }),
    ...(error && { error: error.type }),
  }
}
