// A gateway on AWS Lambda, behind a function URL with the invoke mode RESPONSE_STREAM and the authorization type NONE,
// because the gateway has its own keys. Lambda sets its credentials and Region. GATEWAY_KEYS is a JSON list of
// `{ "id", "sha256" }`. https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { createBedrockClient } from 'outcrop'
import { apiKeys, createGateway } from 'outcrop/gateway'

const gateway = createGateway(createBedrockClient(), {
  authenticate: apiKeys(JSON.parse(process.env.GATEWAY_KEYS ?? '[]')),
  // Lambda's own limit.
  maxBodySize: 6_000_000,
  accessLog: (entry) => console.log(JSON.stringify(entry)),
})

export const handler = awslambda.streamifyResponse(async (event, output) => {
  const { status: statusCode, headers, body } = await gateway.fetch(toRequest(event))
  const response = awslambda.HttpResponseStream.from(output, { statusCode, headers: Object.fromEntries(headers) })
  if (!body) {
    response.end()
    return
  }
  // If the client disconnects, the pipeline breaks, which ends the call.
  await pipeline(Readable.fromWeb(body as ReadableStream), response)
})

function toRequest({
  body,
  headers,
  isBase64Encoded,
  rawPath,
  rawQueryString,
  requestContext,
}: FunctionUrlEvent): Request {
  const { domainName, http } = requestContext
  const hasBody = body !== undefined && http.method !== 'GET' && http.method !== 'HEAD'
  return new Request(`https://${domainName}${rawPath}${rawQueryString && `?${rawQueryString}`}`, {
    method: http.method,
    headers,
    ...(hasBody && { body: isBase64Encoded ? Buffer.from(body, 'base64') : body }),
  })
}
