// A stand-in of Lambda's runtime, for the examples.
import { PassThrough } from 'node:stream'

let init: ResponseInit = {}

/** Puts into the global scope what Lambda's runtime does. */
export function installLambda(): void {
  Object.assign(globalThis, {
    awslambda: {
      streamifyResponse: (handler: unknown) => handler,
      HttpResponseStream: {
        from(stream: PassThrough, { statusCode, headers }: { statusCode: number; headers: Record<string, string> }) {
          init = { status: statusCode, headers }
          return stream
        },
      },
    },
  })
}

/** Calls a handler as a function URL does: with an event, and a stream whose prelude has the status and the headers. */
export async function callLambda(handler: StreamingHandler, request: Request): Promise<Response> {
  const { host, pathname, search } = new URL(request.url)
  const output = new PassThrough()
  const event: FunctionUrlEvent = {
    ...(request.body && { body: await request.text() }),
    headers: Object.fromEntries(request.headers),
    isBase64Encoded: false,
    rawPath: pathname,
    rawQueryString: search.slice(1),
    requestContext: { domainName: host, http: { method: request.method } },
  }
  const [chunks] = await Promise.all([output.toArray(), handler(event, output)])
  return new Response(Buffer.concat(chunks), init)
}
