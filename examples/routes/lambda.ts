// AWS Lambda, behind a function URL with the invoke mode RESPONSE_STREAM. Lambda sets its credentials and Region.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { createBedrockClient, type MessageParam } from 'outcrop'

const bedrock = createBedrockClient()

export const handler = awslambda.streamifyResponse(async (event, output) => {
  const { messages } = JSON.parse(event.body ?? '{}') as { messages: MessageParam[] }
  const response = await bedrock.messages.stream({ model: 'sonnet', max_tokens: 1024, messages }).toResponse()
  const { status: statusCode, headers, body } = response
  // If the client disconnects, the pipeline breaks, which ends the call.
  await pipeline(
    Readable.fromWeb(body as ReadableStream),
    awslambda.HttpResponseStream.from(output, { statusCode, headers: Object.fromEntries(headers) }),
  )
})
