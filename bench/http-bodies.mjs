import { frame } from './frames.mjs'

export const answer = JSON.stringify({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'y'.repeat(1000) }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 300, output_tokens: 300 },
})

/** The first frame of a stream. */
export const firstFrame = Buffer.from(
  frame({ type: 'message_start', message: { ...JSON.parse(answer), content: [], stop_reason: null } }),
)
