import { ConfigurationError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { isLoopback, parseEndpointUrl } from '../core/internal/endpoint-url.ts'
import { isJsonObject, parseJsonObject } from '../core/internal/json.ts'
import { redact } from '../core/internal/redact.ts'
import { causeOf } from './finding.ts'
import type { CheckResult } from './report.ts'

/** Options of {@link runGatewayDoctor}. */
export interface GatewayDoctorOptions {
  /** The gateway's address, with its base path, if any. */
  readonly url: string | URL
  /** A key of the gateway. Without one, only the open routes are checked. */
  readonly key?: string | undefined
  /** The model of the call that `invoke` makes. @default 'haiku' */
  readonly model?: string | undefined
  /** Whether to send a message, which costs a few tokens. @default false */
  readonly invoke?: boolean | undefined
  /** @default the global `fetch` */
  readonly fetch?: typeof fetch | undefined
  /** Time in milliseconds, for tests. @default Date.now */
  readonly now?: (() => number) | undefined
}

// After this time, Claude Code continues without the list of models.
const modelsDeadline = 3_000
const requestTimeout = 30_000

/**
 * Checks a gateway from a user's side: that it answers, rejects requests without a key, accepts a key, and lists its
 * models in time.
 *
 * @example
 * ```ts
 * for await (const { status, check, message } of runGatewayDoctor({ url: 'https://claude.example.com', key })) {
 *   console.log(status, check, message)
 * }
 * ```
 * @throws ConfigurationError for anything but an http(s) URL.
 */
export async function* runGatewayDoctor(options: GatewayDoctorOptions): AsyncGenerator<CheckResult> {
  assertOptions(options, '', 'url key model invoke fetch now')
  const { key } = options
  for await (const { message, ...result } of examine(options))
    yield { ...result, message: redact(message, key === undefined ? [] : [key]) }
}

async function* examine(options: GatewayDoctorOptions): AsyncGenerator<CheckResult> {
  const { key, model = 'haiku', invoke = false, fetch = globalThis.fetch, now = Date.now } = options
  const url = parseEndpointUrl(options.url, 'url', { allowHttp: true })
  if (!url) throw new ConfigurationError('The url of the gateway is missing')
  const base = url.href.replace(/\/$/, '')
  const ask = async (path: string, withKey: boolean, json?: object): Promise<Answer> => {
    const started = now()
    const response = await fetch(base + path, {
      method: json ? 'POST' : 'GET',
      headers: {
        'anthropic-version': '2023-06-01',
        ...(json && { 'content-type': 'application/json' }),
        ...(withKey && key !== undefined && { 'x-api-key': key }),
      },
      // The key must go nowhere else.
      redirect: 'manual',
      signal: AbortSignal.timeout(requestTimeout),
      ...(json && { body: JSON.stringify(json) }),
    })
    const { status } = response
    return { status, text: await response.text(), took: now() - started }
  }

  if (url.protocol === 'http:' && !isLoopback(url)) {
    yield {
      check: 'TLS',
      status: 'warning',
      message: `${url.host} is plain http: keys and prompts are sent unencrypted`,
      next: 'Put the gateway behind TLS, with a load balancer, an ingress or your platform.',
    }
  }

  let health: Answer
  try {
    health = await ask('/healthz', false)
  } catch (error) {
    yield {
      check: 'gateway',
      status: 'failure',
      message: `${url.host} cannot be reached: ${causeOf(error)}`,
      next: 'Check the address, DNS and the proxy, and that the gateway is running.',
    }
    return
  }
  const state = fieldOf(health, 'status')
  if (state !== 'ok' && state !== 'draining') {
    yield {
      check: 'gateway',
      status: 'failure',
      message: `${base}/healthz answers ${health.status}, but not like an Outcrop gateway`,
      next: "Check the address, and the gateway's base path.",
    }
    return
  }
  yield state === 'draining'
    ? { check: 'gateway', status: 'warning', message: `${url.host} is shutting down`, next: 'Try again.' }
    : { check: 'gateway', status: 'ok', message: `${url.host} answers` }

  const ready = await ask('/readyz', false)
  yield ready.status === 200
    ? { check: 'Bedrock', status: 'ok', message: 'the gateway can call Bedrock' }
    : {
        check: 'Bedrock',
        status: 'failure',
        message: 'the gateway reports that it cannot call Bedrock',
        next: 'Read its log, or run `outcrop doctor` on its machine, with its credentials.',
      }

  const params = { model, max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] }
  const anonymous = await ask('/v1/messages', false, params)
  yield anonymous.status === 401
    ? { check: 'authentication', status: 'ok', message: 'calls without a key are refused' }
    : {
        check: 'authentication',
        status: 'failure',
        message: `a call without a key is answered with ${anonymous.status} instead of 401`,
        next: "Fix the gateway's authenticate: anyone who can reach it can spend on its account.",
      }
  if ((await ask('/metrics', false)).status === 200) {
    yield {
      check: 'metrics',
      status: 'note',
      message: 'anyone who can reach the gateway can read /metrics: the names of keys, and their spending',
    }
  }

  if (key === undefined) {
    yield {
      check: 'key',
      status: 'note',
      message: 'not checked, because there is no key',
      next: 'Set OUTCROP_GATEWAY_KEY to a key of the gateway.',
    }
    return
  }
  const listed = await ask('/v1/models', true)
  if (listed.status !== 200) {
    yield {
      check: 'key',
      status: 'failure',
      message: `the key is answered with ${listed.status}: ${fieldOf(listed, 'message')}`,
      next:
        listed.status === 401
          ? 'Ask the operator of the gateway for a key: `outcrop gateway key add NAME` prints one.'
          : "Read the gateway's log.",
    }
    return
  }
  yield { check: 'key', status: 'ok', message: 'the key is known' }
  const names = modelsIn(listed)
  yield names.length > 0
    ? { check: 'models', status: 'ok', message: names.join(', ') }
    : {
        check: 'models',
        status: 'failure',
        message: 'the key may not call any model',
        next: "Change the key's models.",
      }
  if (listed.took > modelsDeadline) {
    yield {
      check: 'models',
      status: 'warning',
      message: `the list took ${listed.took} ms: Claude Code waits for ${modelsDeadline} ms and then continues without it`,
    }
  }

  if (!invoke) {
    yield { check: 'call', status: 'note', message: 'not made; --invoke sends a message for one token' }
    return
  }
  const called = await ask('/v1/messages', true, params)
  yield called.status === 200
    ? { check: 'call', subject: model, status: 'ok', message: `answered in ${called.took} ms` }
    : {
        check: 'call',
        subject: model,
        status: 'failure',
        message: `answered with ${called.status}: ${fieldOf(called, 'message')}`,
        next: 'Run `outcrop doctor` where the gateway runs.',
      }
}

interface Answer {
  readonly status: number
  readonly text: string
  /** In milliseconds. */
  readonly took: number
}

/** Returns a field of a JSON response, or of the error in it; the beginning of the text if there is none. */
function fieldOf({ text }: Answer, name: string): string {
  const body = parseJsonObject(text)
  const value = isJsonObject(body?.error) ? body.error[name] : body?.[name]
  return typeof value === 'string' ? value : text.slice(0, 200) || 'no text'
}

function modelsIn({ text }: Answer): string[] {
  const data = parseJsonObject(text)?.data
  if (!Array.isArray(data)) return []
  return data.flatMap((model: unknown) => (isJsonObject(model) && typeof model.id === 'string' ? [model.id] : []))
}
