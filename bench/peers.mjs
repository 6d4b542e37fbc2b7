// Other clients for Claude on Bedrock, each used as its documentation says, over an in-memory `fetch` or against an endpoint.
import { Readable } from 'node:stream'

export const region = 'us-east-1'
export const identity = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI-EXAMPLE' }
export const model = 'us.anthropic.claude-sonnet-4-6'
const { accessKeyId, secretAccessKey } = identity

/**
 * Creates a peer: `create(params)` resolves to a message, and `stream(params)` to an async iterable of events or parts.
 *
 * @param options.fetch - answers instead of the network
 * @param options.endpoint - the destination without `fetch`
 */
export const peers = {
  '@anthropic-ai/bedrock-sdk': async ({ fetch, endpoint }) => {
    const { AnthropicBedrock } = await import('@anthropic-ai/bedrock-sdk')
    const { messages } = new AnthropicBedrock({
      awsRegion: region,
      awsAccessKey: accessKeyId,
      awsSecretKey: secretAccessKey,
      maxRetries: 0,
      ...(fetch ? { fetch } : { baseURL: endpoint }),
    })
    return { create: (params) => messages.create(params), stream: (params) => messages.stream(params) }
  },

  '@aws-sdk/client-bedrock-runtime': async ({ fetch, endpoint }) => {
    const { BedrockRuntimeClient, InvokeModelCommand, InvokeModelWithResponseStreamCommand } = await import(
      '@aws-sdk/client-bedrock-runtime'
    )
    const requestHandler = fetch && (await handlerOf(fetch))
    const aws = new BedrockRuntimeClient({
      region,
      credentials: identity,
      ...(fetch ? { requestHandler } : { endpoint }),
    })
    const inputOf = ({ model, ...params }) => ({
      modelId: model,
      contentType: 'application/json',
      body: JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', ...params }),
    })
    return {
      create: async (params) => JSON.parse(Buffer.from((await aws.send(new InvokeModelCommand(inputOf(params)))).body)),
      async *stream(params) {
        const { body } = await aws.send(new InvokeModelWithResponseStreamCommand(inputOf(params)))
        for await (const { chunk } of body) yield JSON.parse(Buffer.from(chunk.bytes))
      },
    }
  },

  '@ai-sdk/amazon-bedrock': async ({ fetch, endpoint }) => {
    const { createBedrockAnthropic } = await import('@ai-sdk/amazon-bedrock/anthropic')
    const bedrock = createBedrockAnthropic({ region, accessKeyId, secretAccessKey, fetch, baseURL: endpoint })
    const callOf = ({ model, max_tokens, messages }) => [
      bedrock(model),
      {
        maxOutputTokens: max_tokens,
        prompt: messages.map(({ role, content }) => ({ role, content: [{ type: 'text', text: content }] })),
      },
    ]
    return {
      async create(params) {
        const [languageModel, call] = callOf(params)
        const { content, finishReason } = await languageModel.doGenerate(call)
        return { content, stop_reason: finishReason.raw ?? finishReason }
      },
      async *stream(params) {
        const [languageModel, call] = callOf(params)
        yield* (await languageModel.doStream(call)).stream
      },
    }
  },
}

/** Returns a request handler of the AWS SDK that calls a `fetch`. */
async function handlerOf(fetch) {
  const { HttpResponse } = await import('@smithy/protocol-http')
  return {
    async handle() {
      const response = await fetch()
      const body = Readable.fromWeb(response.body)
      return {
        response: new HttpResponse({
          statusCode: response.status,
          headers: Object.fromEntries(response.headers),
          body,
        }),
      }
    },
    updateHttpClientConfig() {},
    httpHandlerConfigs: () => ({}),
    destroy() {},
  }
}
