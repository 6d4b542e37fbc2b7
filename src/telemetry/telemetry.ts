import { isJsonObject } from '../core/internal/json.ts'
import type { BedrockResponse, Middleware } from '../core/types.ts'
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
 * Tells OpenTelemetry of each call: a span from the call to the end of its answer, and metrics, by the names of the
 * conventions for generative AI. Put it first in `middleware`, so that it sees what the others do. Without a tracer and a
 * meter, given or registered, it does nothing.
 *
 * A stream's span ends when the stream does: at its end, by a fault, left, or aborted. The span of a stream that is neither
 * read nor aborted has no end.
 *
 * @example
 * ```ts
 * const bedrock = createBedrockClient({ region: 'us-east-1', middleware: [telemetry()] })
 * ```
 * @see https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/client-inference.md
 * @throws ConfigurationError for options that can never work.
 */
export function telemetry(options: TelemetryOptions = {}): Middleware {
  assertTelemetryOptions(options)
  const instrumentsOf = keepInstruments()

  return async function telemetry(request, next, context) {
    const { telemetry: own = {}, ...others } = request.options
    if (own === false) return next(request)
    assertTelemetryCallOptions(own)
    const tracer = options.tracer ?? registeredTracer()
    const meter = options.meter ?? registeredMeter()
    if (!tracer && !meter) return next(request)

    const started = context.clock.now()
    const conventions = conventionsOf(options, context.env)
    const call = callAttributes(request, context)
    const plain = { ...request, options: others }
    const instruments = meter ? quietly(context, () => instrumentsOf(meter, conventions)) : undefined

    const run = (span?: TelemetrySpan): Promise<BedrockResponse> => {
      const headers = span && options.propagate ? quietly(context, () => traceContextHeaders(span)) : undefined
      const sent = { ...plain, headers: { ...request.headers, ...headers } }
      // Without an SDK, or where the trace is not sampled, nobody hears of the span.
      const recording = quietly(context, () => (span?.isRecording() ? span : undefined))
      if (!recording && !instruments) return next(sent)
      const maxBytes = recording ? contentBytes(options, context.env) : 0
      quietly(context, () => {
        recording?.setAttributes({
          ...requestAttributes(request, context, conventions),
          ...(maxBytes > 0 && isJsonObject(request.body) && requestContent(request.body, maxBytes)),
          ...defined({ [attribute.conversationId]: own.conversationId }),
          ...own.attributes,
        })
      })
      return observe(sent, next, context, { span: recording, instruments, call, conventions, maxBytes, started })
    }

    if (!tracer) return run()
    let answer: Promise<BedrockResponse> | undefined
    quietly(context, () => {
      const name = `${call[attribute.operationName]} ${call[attribute.requestModel]}`
      const settings = { kind: clientKind, attributes: call }
      const begin = (span: TelemetrySpan): void => {
        answer = run(span)
      }
      if (own.context === undefined) tracer.startActiveSpan(name, settings, begin)
      else tracer.startActiveSpan(name, settings, own.context, begin)
    })
    return answer ?? run()
  }
}

/** Gives the instruments of a meter, which are made once. */
function keepInstruments(): (meter: TelemetryMeter, conventions: TelemetryConventions) => Instruments {
  const kept = {
    latest: new WeakMap<TelemetryMeter, Instruments>(),
    '1.41': new WeakMap<TelemetryMeter, Instruments>(),
  }
  return (meter, conventions) => {
    let instruments = kept[conventions].get(meter)
    if (!instruments) {
      instruments = createInstruments(meter, conventions)
      kept[conventions].set(meter, instruments)
    }
    return instruments
  }
}
