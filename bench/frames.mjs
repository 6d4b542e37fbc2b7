import { EventStreamCodec } from '@smithy/eventstream-codec'
import { fromUtf8, toUtf8 } from '@smithy/util-utf8'

export const codec = new EventStreamCodec(toUtf8, fromUtf8)
const string = (value) => ({ type: 'string', value })

/** Encodes an event in a frame, as Bedrock does. */
export function frame(event) {
  const bytes = Buffer.from(JSON.stringify(event)).toString('base64')
  return codec.encode({
    headers: {
      ':event-type': string('chunk'),
      ':content-type': string('application/json'),
      ':message-type': string('event'),
    },
    body: fromUtf8(JSON.stringify({ bytes, p: 'abcdefghijklmnopqrstuvwxyz'.slice(0, bytes.length % 26) })),
  })
}

const start = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [],
  stop_reason: null,
  usage: { input_tokens: 10, output_tokens: 1 },
}

/** Encodes a message with one block, from the block's start and deltas. */
export function messageBytes(content_block, deltas) {
  return Buffer.concat(
    [
      { type: 'message_start', message: start },
      { type: 'content_block_start', index: 0, content_block },
      ...deltas.map((delta) => ({ type: 'content_block_delta', index: 0, delta })),
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: deltas.length } },
      { type: 'message_stop' },
    ].map(frame),
  )
}

/** Splits bytes into chunks. */
export function chunked(bytes, size) {
  const chunks = []
  for (let i = 0; i < bytes.length; i += size) chunks.push(bytes.subarray(i, i + size))
  return chunks
}
