import { ConfigurationError } from '../core/errors.ts'
import { assertOptions, describeType } from '../core/internal/assert-options.ts'
import { env } from '../core/internal/env.ts'
import type { Environment } from '../core/types.ts'
import type { TelemetryConventions } from './names.ts'
import type { TelemetryAttributes, TelemetryMeter, TelemetryTracer } from './opentelemetry.ts'

/** Options of {@link telemetry}. */
export interface TelemetryOptions {
  /**
   * Creates the spans; `false` turns them off.
   *
   * @default the tracer `outcrop` of the provider registered with `@opentelemetry/api`, looked up at each call; without
   *   one there are no spans
   */
  readonly tracer?: TelemetryTracer | false | undefined
  /**
   * Creates the metrics; `false` turns them off.
   *
   * @default the meter `outcrop` of the registered provider, looked up at each call; without one there are no metrics
   */
  readonly meter?: TelemetryMeter | false | undefined
  /**
   * Whether spans include content: messages, system prompt, the names of tools, the answer. Never images or documents.
   * `maxBytes` limits each of the four attributes (UTF-8, default 65,536); of a longer conversation the last messages
   * are kept. Anything that looks like a secret is removed.
   *
   * @default OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT (`true`, `SPAN_ONLY` or `SPAN_AND_EVENT`), else false
   */
  readonly content?: boolean | { readonly maxBytes?: number | undefined } | undefined
  /**
   * The edition of OpenTelemetry's conventions: the current one, or `'1.41'` for dashboards that use its names.
   * OTEL_SEMCONV_STABILITY_OPT_IN with `gen_ai_latest_experimental` always selects the current one.
   *
   * @default 'latest'
   */
  readonly conventions?: TelemetryConventions | undefined
  /**
   * Whether requests carry `traceparent` and `tracestate`, for a gateway that continues the trace. They are not signed.
   *
   * @default false
   */
  readonly propagate?: boolean | undefined
}

/** Telemetry options of a single call. */
export interface TelemetryCallOptions {
  /**
   * The context whose span is the parent, if there is no context manager or the call starts elsewhere: an OpenTelemetry
   * `Context`.
   *
   * @default the active context when the call starts; a stream's call starts on first use
   */
  readonly context?: unknown
  /** `gen_ai.conversation.id`: the conversation that the call belongs to. */
  readonly conversationId?: string | undefined
  /** Additional attributes of the span, but not of metrics. */
  readonly attributes?: Readonly<TelemetryAttributes> | undefined
}

declare global {
  interface OutcropCallOptions {
    /** The call's telemetry options; `false` turns telemetry off for it. */
    readonly telemetry?: TelemetryCallOptions | false | undefined
  }
}

/** @throws ConfigurationError for invalid options. */
export function assertTelemetryOptions(options: TelemetryOptions): void {
  assertOptions(options, '', 'tracer meter content conventions propagate')
  const { tracer, meter, content, conventions, propagate } = options
  if (tracer && typeof tracer.startActiveSpan !== 'function')
    throw new ConfigurationError(`tracer must be an OpenTelemetry tracer or false, not ${describeType(tracer)}`, {
      hint: "Pass trace.getTracer('my-app') from @opentelemetry/api.",
    })
  if (meter && typeof meter.createHistogram !== 'function')
    throw new ConfigurationError(`meter must be an OpenTelemetry meter or false, not ${describeType(meter)}`, {
      hint: "Pass metrics.getMeter('my-app') from @opentelemetry/api.",
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

/** @throws ConfigurationError for invalid options. */
export function assertTelemetryCallOptions(options: TelemetryCallOptions): void {
  assertOptions(options, 'telemetry', 'context conversationId attributes')
  const { conversationId, attributes } = options
  if (conversationId !== undefined && typeof conversationId !== 'string')
    throw new ConfigurationError(`telemetry.conversationId must be a string, not ${describeType(conversationId)}`)
  if (attributes !== undefined && (typeof attributes !== 'object' || attributes === null))
    throw new ConfigurationError(`telemetry.attributes must be an object, not ${describeType(attributes)}`)
}

/** Returns the maximum bytes of content in an attribute; 0 if none is recorded. */
export function contentBytes({ content }: TelemetryOptions, from: Environment | undefined): number {
  const isWanted =
    content ??
    /^(true|span_only|span_and_event)$/i.test(env('OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT', from) ?? '')
  if (!isWanted) return 0
  return (typeof content === 'object' ? content.maxBytes : undefined) ?? 65_536
}

/** Returns the edition of the conventions to use. */
export function conventionsOf(
  { conventions = 'latest' }: TelemetryOptions,
  from: Environment | undefined,
): TelemetryConventions {
  const optedIn = env('OTEL_SEMCONV_STABILITY_OPT_IN', from)
    ?.split(',')
    .map((each) => each.trim())
  return optedIn?.includes('gen_ai_latest_experimental') ? 'latest' : conventions
}
