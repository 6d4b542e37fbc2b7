/** A stream of what `read` gives until it gives `undefined`. `close` runs at the end, whichever way it comes. */
export function readableFrom(
  read: () => Promise<Uint8Array | undefined>,
  close: () => unknown,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      let chunk: Uint8Array | undefined
      try {
        // What it throws is the stream's error.
        chunk = await read()
      } finally {
        if (!chunk) await close()
      }
      if (chunk) controller.enqueue(chunk)
      else controller.close()
    },
    async cancel() {
      await close()
    },
  })
}
