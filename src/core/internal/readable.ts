/** A stream of what `read` gives until it gives `undefined`. `close` runs when the reader went away. */
export function readableFrom(
  read: () => Promise<Uint8Array | undefined>,
  close: () => unknown,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      // What `read` throws is the stream's error.
      const chunk = await read()
      if (chunk) controller.enqueue(chunk)
      else controller.close()
    },
    async cancel() {
      await close()
    },
  })
}
