// Globals of Lambda's runtime for Node.

/** A request to a function URL: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html */
interface FunctionUrlEvent {
  readonly body?: string
  readonly headers: Readonly<Record<string, string>>
  readonly isBase64Encoded: boolean
  readonly rawPath: string
  readonly rawQueryString: string
  readonly requestContext: { readonly domainName: string; readonly http: { readonly method: string } }
}

type StreamingHandler = (event: FunctionUrlEvent, output: import('node:stream').Writable) => Promise<void>

declare const awslambda: {
  streamifyResponse(handler: StreamingHandler): StreamingHandler
  HttpResponseStream: {
    from(
      output: import('node:stream').Writable,
      prelude: { readonly statusCode: number; readonly headers: Readonly<Record<string, string>> },
    ): import('node:stream').Writable
  }
}
