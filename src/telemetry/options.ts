import { ConfigurationError } from '../core/errors.ts'
import { assertOptions, describeType } from '../core/internal/assert-options.ts'
import { env } from '../core/internal/env.ts'
import type { Environment } from '../core/types.ts'
import type { TelemetryConventions } from './names.ts'
import type { TelemetryAttributes, TelemetryMeter, TelemetryTracer } from './opentelemetry.ts'

/** Options of {@link telemetry}. */
export interface TelemetryOptions {
  /**
   * Makes the spans; `false` makes none.
   *
   * @default the tracer `outcrop` of the provider that is registered with `@opentelemetry/api`, looked up at each call;
   *   without one there are no spans
   */
  readonly tracer?: TelemetryTracer | false | undefined
  /**
   * Makes the metrics; `false` makes none.
   *
   * @default the meter `outcrop` of the provider that is registered, looked up at each call; without one there are no metrics
   */
  readonly meter?: TelemetryMeter | false | undefined
  /**
   * Whether spans have what was said: messages, system prompt, the names of tools, the answer. Never images or documents.
   * `maxBytes` bounds each of the four attributes (UTF-8, default 65,536); of a longer conversation the last messages stay.
   * What has the shape of a secret is taken out.
   *
   * @default OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT (`true`, `SPAN_ONLY` or `SPAN_AND_EVENT`), else false
   */
  readonly content?: boolean | { readonly maxBytes?: number | undefined } | undefined
  /**
   * The edition of OpenTelemetry's conventions: the current one, or `'1.41'` for dashboards that were made for its names.
   * OTEL_SEMCONV_STABILITY_OPT_IN with `gen_ai_latest_experimental` in it asks for the current one in any case.
   *
   * @default 'latest'
   */
  readonly conventions?: TelemetryConventions | undefined
  /**
   * Whether requests carry `traceparent` and `tracestate`, for a gateway that goes on with the trace. They are not signed.
   *
   * @default false
   */
  readonly propagate?: boolean | undefined
}

/** What a single call may say of its telemetry. */
export interface TelemetryCallOptions {
  /**
   * The context whose span is the parent, where there is no context manager (or the call begins elsewhere): an
   * OpenTelemetry `Context`.
   *
   * @default the active one, when the call begins; a stream's call begins at its first use
   */
  readonly context?: unknown
  /** `gen_ai.conversation.id`: which conversation the call is a turn of. */
  readonly conversationId?: string | undefined
  /** More attributes of the span. Metrics do not have them. */
  readonly attributes?: Readonly<TelemetryAttributes> | undefined
}

declare global {
  interface OutcropCallOptions {
    /** What the call says of its telemetry; `false` leaves it without. */
    readonly telemetry?: TelemetryCallOptions | false | undefined
  }
}

/** @throws ConfigurationError for options that can never work. */
export function assertTelemetryOptions(options: TelemetryOptions): void {
  assertOptions(options, '', 'tracer meter content conventions propagate')
  const { tracer, meter, content, conventions, propagate } = options
  if (tracer && typeof tracer.startActiveSpan !== 'function')
    throw new ConfigurationError(`tracer must be a tracer of OpenTelemetry or false, not ${describeType(tracer)}`, {
      hint: "trace.getTracer('my-app') of @opentelemetry/api gives one.",
    })
  if (meter && typeof meter.createHistogram !== 'function')
    throw new ConfigurationError(`meter must be a meter of OpenTelemetry or false, not ${describeType(meter)}`, {
      hint: "metrics.getMeter('my-app') of @opentelemetry/api gives one.",
    })
  if (typeof content === 'object') {
    assertOptions(content, 'content', 'maxBytes')
    const { maxBytes } = content
    if (maxBytes !== undefined && !(Number.isInteger(maxBytes) && maxBytes > 0))
      throw new ConfigurationError('content.maxBytes must be a whole number of bytes, 1 or more')
  } else if (content !== undefined && typeof content !== 'boolean') {
    throw new ConfigurationError(`content must be true, false or { maxBytes }, not ${describeType(content)}`)
  }
  if (conventions !== undefined && conventions !== 'latest' && conventions !== '1.41')
    throw new ConfigurationError("conventions must be 'latest' or '1.41'")
  if (propagate !== undefined && typeof propagate !== 'boolean')
    throw new ConfigurationError(`propagate must be true or false, not ${describeType(propagate)}`)
}

/** @throws ConfigurationError for what a call cannot say of its telemetry. */
export function assertTelemetryCallOptions(options: TelemetryCallOptions): void {
  assertOptions(options, 'telemetry', 'context conversationId attributes')
  const { conversationId, attributes } = options
  if (conversationId !== undefined && typeof conversationId !== 'string')
    throw new ConfigurationError(`telemetry.conversationId must be a string, not ${describeType(conversationId)}`)
  if (attributes !== undefined && (typeof attributes !== 'object' || attributes === null))
    throw new ConfigurationError(`telemetry.attributes must be an object, not ${describeType(attributes)}`)
}

/** How many bytes of content an attribute may have; 0 where none is to be recorded. */
export function contentBytes({ content }: TelemetryOptions, from: Environment | undefined): number {
  const isWanted =
    content ??
    /^(true|span_only|span_and_event)$/i.test(env('OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT', from) ?? '')
  if (!isWanted) return 0
  return (typeof content === 'object' ? content.maxBytes : undefined) ?? 65_536
}

/** Which edition of the conventions to speak. */
export function conventionsOf(
  { conventions = 'latest' }: TelemetryOptions,
  from: Environment | undefined,
): TelemetryConventions {
  const optedIn = env('OTEL_SEMCONV_STABILITY_OPT_IN', from)
    ?.split(',')
    .map((each) => each.trim())
  return optedIn?.includes('gen_ai_latest_experimental') ? 'latest' : conventions
}
