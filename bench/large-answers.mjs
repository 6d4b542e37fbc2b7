// Shows whether an answer of 10 MB costs as much per byte as a short one, by its content, its chunks and the number of
// concurrent streams. Excludes code of others, such as web streams.
import { chunked, messageBytes } from './frames.mjs'
import { identity, model, region } from './peers.mjs'

const size = 10_000_000
const piece = 'a long answer, and then some more of it, word by word ... '.repeat(2).slice(0, 100)

/** Kinds of content: the block's start, and its deltas of 100 characters. */
const kinds = {
  text: (length) => [
    { type: 'text', text: '' },
    Array.from({ length: length / 100 }, () => ({ type: 'text_delta', text: piece })),
  ],
  'tool JSON': (length) => [
    { type: 'tool_use', id: 't1', name: 'write', input: {} },
    Array.from({ length: length / 100 }, (_, i) => ({
      type: 'input_json_delta',
      partial_json: i === 0 ? '{"text":"' : i === length / 100 - 1 ? '"}' : piece,
    })),
  ],
  citations: (length) => [
    { type: 'text', text: '', citations: [] },
    Array.from({ length: length / 100 }, (_, i) => ({
      type: 'citations_delta',
      citation: { type: 'char_location', cited_text: piece.slice(0, 40), document_index: 0, start_char_index: i },
    })),
  ],
}

const params = { model, max_tokens: 1024, messages: [{ role: 'user', content: 'Hi' }] }

/** @param count - the number of concurrent streams, of `length` characters each */
function answering(kind, cut, length = size, count = 1) {
  return async () => {
    const { createBedrockClient } = await import('outcrop')
    const chunks = chunked(messageBytes(...kinds[kind](length)), cut)
    const transport = async () => {
      let next = 0
      const reader = {
        read: async () => (next < chunks.length ? { done: false, value: chunks[next++] } : { done: true }),
        cancel: async () => {},
      }
      const headers = new Headers({ 'content-type': 'application/vnd.amazon.eventstream' })
      return { ok: true, status: 200, headers, body: { getReader: () => reader } }
    }
    // In the way the transport of `outcrop/node` implements a `fetch`.
    const fetch = Object.assign(() => {}, { [Symbol.for('outcrop.transport')]: transport })
    const bedrock = createBedrockClient({ region, credentials: identity, fetch })
    const once = () => bedrock.messages.stream(params).finalMessage()
    // One megabyte is enough to show the cost of the smallest chunks.
    const rounds = cut < 1_000 ? 1 : Math.max(1, size / length / count)
    const operation = async () => {
      for (let i = 0; i < rounds; i++) await Promise.all(Array.from({ length: count }, once))
    }
    // The length in units of 10 MB.
    return Object.assign(operation, { weight: (rounds * count * length) / size })
  }
}

/** One answer, by its content and chunks. */
export const largeAnswers = {
  'text, cuts of 64 KB': answering('text', 65_536),
  'text, cuts of 1 KB': answering('text', 1_024),
  'text, cuts of 100 bytes': answering('text', 100, 1_000_000),
  'text, cuts of 7 bytes': answering('text', 7, 1_000_000),
  'tool JSON, cuts of 64 KB': answering('tool JSON', 65_536),
  'citations, cuts of 64 KB': answering('citations', 65_536),
}

const short = 50_000

/** Answers of 50 KB, by the number of concurrent ones. */
export const concurrentAnswers = {
  'one at a time': answering('text', 65_536, short),
  '10 at once': answering('text', 65_536, short, 10),
  '100 at once': answering('text', 65_536, short, 100),
  '1,000 at once': answering('text', 65_536, short, 1_000),
}
