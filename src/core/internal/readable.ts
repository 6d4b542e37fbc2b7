/** Creates a stream of the results of `read`, until it returns `undefined`. `close` runs at the end in every case. */
export function readableFrom(
  read: () => Promise<Uint8Array | undefined>,
  close: () => unknown,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      let chunk: Uint8Array | undefined
      try {
        // If it throws, the stream errors.
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
