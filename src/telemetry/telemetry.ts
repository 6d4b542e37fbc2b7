import { isJsonObject } from '../core/internal/json.ts'
import type { BedrockResponse, Environment, Middleware } from '../core/types.ts'
import { requestContent } from './content.ts'
import { createInstruments, type Instruments } from './instruments.ts'
import { attribute, type TelemetryConventions } from './names.ts'
import { observe, quietly } from './observe.ts'
import {
  clientKind,
  registeredMeter,
  registeredTracer,
  type TelemetryMeter,
  type TelemetrySpan,
} from './opentelemetry.ts'
import {
  assertTelemetryCallOptions,
  assertTelemetryOptions,
  contentBytes,
  conventionsOf,
  type TelemetryOptions,
} from './options.ts'
import { callAttributes, defined, requestAttributes } from './request-attributes.ts'
import { traceContextHeaders } from './trace-context.ts'

/**
 * Reports each call to OpenTelemetry: a span from the call to the end of its answer, and metrics, with the names in the
 * conventions for generative AI. Put it first in `middleware`, so that it sees the effects of the others. Without a
 * tracer and a meter, passed or registered, it does nothing.
 *
 * A stream's span ends with the stream: at its end, by a fault, when its reader leaves, or on abort. The span of a
 * stream that is neither read nor aborted does not end.
 *
 * @example
 * ```ts
 * const bedrock = createBedrockClient({ region: 'us-east-1', middleware: [telemetry()] })
 * ```
 * @see https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/client-inference.md
 * @throws ConfigurationError for invalid options.
 */
export function telemetry(options: TelemetryOptions = {}): Middleware {
  assertTelemetryOptions(options)
  const settingsOf = keepSettings(options)
  const instrumentsOf = keepInstruments()

  return async function telemetry(request, next, context) {
    const { telemetry: own } = request.options
    if (own === false) return next(request)
    if (own !== undefined) assertTelemetryCallOptions(own)
    const tracer = options.tracer ?? registeredTracer()
    const meter = options.meter ?? registeredMeter()
    if (!tracer && !meter) return next(request)

    const started = context.clock.now()
    const { conventions, maxBytes } = settingsOf(context.env)
    const instruments = meter ? quietly(context, () => instrumentsOf(meter, conventions)) : undefined
    const call = callAttributes(request, context)

    const run = (span?: TelemetrySpan): Promise<BedrockResponse> => {
      const headers = span && options.propagate ? quietly(context, () => traceContextHeaders(span)) : undefined
      const sent = headers ? { ...request, headers: { ...request.headers, ...headers } } : request
      // Without an SDK, or if the trace is not sampled, nothing receives the span.
      const recording = span && quietly(context, () => span.isRecording()) ? span : undefined
      if (!recording && !instruments) return next(sent)
      quietly(context, () => {
        recording?.setAttributes({
          ...requestAttributes(request, context, conventions),
          ...(maxBytes > 0 && isJsonObject(request.body) && requestContent(request.body, maxBytes)),
          ...defined({ [attribute.conversationId]: own?.conversationId }),
          ...own?.attributes,
        })
      })
      const recorded = { span: recording, maxBytes: recording ? maxBytes : 0 }
      return observe(sent, next, context, { ...recorded, instruments, call, conventions, started })
    }

    if (!tracer) return run()
    let answer: Promise<BedrockResponse> | undefined
    const begin = (span: TelemetrySpan): void => {
      answer = run(span)
    }
    quietly(context, () => {
      const name = `${call[attribute.operationName]} ${call[attribute.requestModel]}`
      const settings = { kind: clientKind, attributes: call }
      if (own?.context === undefined) tracer.startActiveSpan(name, settings, begin)
      else tracer.startActiveSpan(name, settings, own.context, begin)
    })
    return answer ?? run()
  }
}

interface Settings {
  readonly conventions: TelemetryConventions
  readonly maxBytes: number
}

/** Caches the settings from the options and the environment of a client. */
function keepSettings(options: TelemetryOptions): (env: Environment | undefined) => Settings {
  let known: (Settings & { readonly env: Environment | undefined }) | undefined
  return (env) => {
    if (!known || known.env !== env)
      known = { env, conventions: conventionsOf(options, env), maxBytes: contentBytes(options, env) }
    return known
  }
}

/** Caches the instruments of a meter. */
function keepInstruments(): (meter: TelemetryMeter, conventions: TelemetryConventions) => Instruments | undefined {
  type Kept = WeakMap<TelemetryMeter, { readonly instruments: Instruments | undefined }>
  const kept: Record<TelemetryConventions, Kept> = { latest: new WeakMap(), '1.41': new WeakMap() }
  return (meter, conventions) => {
    let known = kept[conventions].get(meter)
    if (!known) {
      known = { instruments: createInstruments(meter, conventions) }
      kept[conventions].set(meter, known)
    }
    return known.instruments
  }
}
