import { EventStreamCodec } from '@smithy/eventstream-codec'
import { fromUtf8, toUtf8 } from '@smithy/util-utf8'

export const answer = JSON.stringify({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'y'.repeat(1000) }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 300, output_tokens: 300 },
})

const event = { type: 'message_start', message: { ...JSON.parse(answer), content: [], stop_reason: null } }
const bytes = Buffer.from(JSON.stringify(event)).toString('base64')
const string = (value) => ({ type: 'string', value })

/** The frame that a stream begins with. */
export const firstFrame = Buffer.from(
  new EventStreamCodec(toUtf8, fromUtf8).encode({
    headers: {
      ':event-type': string('chunk'),
      ':content-type': string('application/json'),
      ':message-type': string('event'),
    },
    body: fromUtf8(JSON.stringify({ bytes })),
  }),
)
