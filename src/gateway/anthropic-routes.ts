import { anthropicFetch } from '../anthropic/anthropic-fetch.ts'
import type { AnthropicBackend } from '../anthropic/backend.ts'
import { isBedrockError } from '../core/errors.ts'
import type { CallOptions, Logger, ResponseMetadata } from '../core/types.ts'
import { assertNoGuardrailConfig, callerHeaders } from './caller-headers.ts'
import { describeError, errorResponseFor, ownCredentialsError } from './errors.ts'
import type { RequestContext } from './request-context.ts'
import type { GatewayContext } from './gateway-context.ts'
import { OutputMeter } from './output-meter.ts'
import { resolveModel, settleModel } from './resolve-model.ts'
import { watchEvents } from './watch-events.ts'

/** Answers messages, complete and streamed, and token counts. */
export async function answerMessages(context: RequestContext, gateway: GatewayContext): Promise<Response> {
  return throughAnthropicFetch(context, gateway)
}

/** Lists the models that the caller may call. */
export async function answerModels(context: RequestContext, gateway: GatewayContext): Promise<Response> {
  return throughAnthropicFetch(context, gateway)
}

/** Answers the check that a client sends when it starts. */
export function answerHello(): Response {
  return new Response(null)
}

/** Accepts a client's usage events, and discards them. */
export function dropEvents(): Response {
  return Response.json({})
}

async function throughAnthropicFetch(context: RequestContext, gateway: GatewayContext): Promise<Response> {
  const { caller, request } = context
  const { clock, estimateTokens, exposeUpstreamErrors, maxBodySize, pingInterval } = gateway
  const callOptions: CallOptions = {
    // The option overrides the client's own guardrail; the headers serve clients without the option.
    ...(caller?.guardrail && { guardrail: caller.guardrail }),
    headers: callerHeaders(caller),
  }
  let seen: unknown
  const fetch = anthropicFetch(backendFor(context, gateway), {
    callOptions,
    clock,
    estimateTokens,
    exposeUpstreamErrors,
    logger: noteErrors(context, gateway.logger, (error) => {
      seen = error
    }),
    maxBodySize,
    pingInterval,
  })
  const response = await fetch(request)
  // The caller's own key was accepted, so this concerns the gateway's credentials.
  const own = response.status === 401 ? ownCredentialsError(seen) : undefined
  return own ? errorResponseFor('anthropic', own, exposeUpstreamErrors) : response
}

/** Restricts the client to what one caller may use. */
function backendFor(context: RequestContext, gateway: GatewayContext): AnthropicBackend {
  const { bedrock, budget } = gateway

  /** Resolves the model of a call, and checks that the caller may call it. */
  const admit = async (call: Parameters<AnthropicBackend['invoke']>[0]): Promise<typeof call> => {
    const { body } = call
    const model = await settleModel(gateway, context, call.model as string)
    assertNoGuardrailConfig(context.caller, body)
    await budget.reserve(context, body)
    return { model, body }
  }
  const meter = new OutputMeter()
  const note = (metadata: ResponseMetadata): void => {
    context.requestId = metadata.requestId
    // A cached answer has the usage of another call, which paid for it.
    context.usage = () => (metadata.cache?.status === 'hit' ? {} : meter.complete(metadata.usage))
  }

  return {
    models: {
      resolve: (name) => resolveModel(bedrock, context, name),
      ...(bedrock.models.list && { list: bedrock.models.list }),
    },
    messages: {
      async countTokens(params, options) {
        const model = await settleModel(gateway, context, params.model as string)
        return bedrock.messages.countTokens({ ...params, model }, options)
      },
    },
    async invoke(call, options) {
      const result = await bedrock.invoke(await admit(call), options)
      meter.isWhole = true
      note(result.metadata)
      return result
    },
    async invokeStream(call, options) {
      context.isStream = true
      const { events, metadata } = await bedrock.invokeStream(await admit(call), options)
      note(metadata)
      return { events: watchEvents(events, meter), metadata }
    },
  }
}

/** Receives each error that is sent to the client, and keeps it for the log. */
function noteErrors(context: RequestContext, logger: Logger, see: (error: unknown) => void): Logger {
  const at =
    (level: 'debug' | 'warn') =>
    (message: string, error?: unknown): void => {
      see(error)
      context.error ??= describeError(error)
      if (isBedrockError(error)) context.requestId ??= error.requestId
      logger[level](message, error)
    }
  return { ...logger, debug: at('debug'), warn: at('warn') }
}
