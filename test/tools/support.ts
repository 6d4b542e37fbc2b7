import { toStandardJsonSchema } from '@valibot/to-json-schema'
import { type } from 'arktype'
import { type BedrockClient, createBedrockClient, type JsonObject } from 'outcrop'
import { createFakeBedrock, type FakeBedrock, type FakeReply, type FakeReplyFunction } from 'outcrop/testing'
import * as v from 'valibot'
import { z } from 'zod'

/** A client of a fake that answers `replies` in turn, and the last one for ever. */
export function connect(...replies: FakeReply[]): {
  fake: FakeBedrock
  bedrock: BedrockClient
} {
  let turn = 0
  const next = (): FakeReply | undefined => replies[Math.min(turn++, replies.length - 1)]
  const fake = createFakeBedrock({ reply: () => next() as Exclude<FakeReply, FakeReplyFunction> })
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    retry: false,
  })
  return { fake, bedrock }
}

/** A message that calls tools. */
export function calling(...uses: readonly { id?: string; name: string; input?: JsonObject }[]): {
  content: { type: string; id: string; name: string; input: JsonObject }[]
} {
  return {
    content: uses.map(({ id, name, input = {} }, i) => ({ type: 'tool_use', id: id ?? `toolu_${i}`, name, input })),
  }
}

/** One schema, as each library writes it. */
export const schemas = {
  zod: z.object({ city: z.string().min(2), days: z.number().optional() }),
  valibot: toStandardJsonSchema(v.object({ city: v.pipe(v.string(), v.minLength(2)), days: v.optional(v.number()) })),
  arktype: type({ city: 'string >= 2', 'days?': 'number' }),
}
