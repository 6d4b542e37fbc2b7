// What Lambda's runtime for Node puts into the global scope.
interface StreamingEvent {
  readonly body?: string
}

type StreamingHandler = (event: StreamingEvent, output: import('node:stream').Writable) => Promise<void>

declare const awslambda: {
  streamifyResponse(handler: StreamingHandler): StreamingHandler
  HttpResponseStream: {
    from(
      output: import('node:stream').Writable,
      prelude: { readonly statusCode: number; readonly headers: Readonly<Record<string, string>> },
    ): import('node:stream').Writable
  }
}
