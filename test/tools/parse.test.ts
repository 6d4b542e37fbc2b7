import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod'
import { isBedrockError, type JsonObject, type JsonValue } from 'outcrop'
import { createBedrockClient } from 'outcrop/core'
import { outputFormat, parse, tool } from 'outcrop/tools'
import * as v from 'valibot'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { calling, connect, schemas } from './support.ts'

const question = { max_tokens: 100, messages: [{ role: 'user' as const, content: 'Where?' }] }
const answer = '{"city":"Oslo","days":3}'
// The first takes output_config.format on Bedrock, the second does not.
const [withFormat, withTool] = ['claude-sonnet-4-6', 'claude-opus-5-5']
const byTool = (input: JsonObject): { content: { type: string; id: string; name: string; input: JsonObject }[] } => ({
  content: [{ type: 'tool_use', id: 'toolu_1', name: 'output', input }],
})

describe.each(Object.entries(schemas))('a schema of %s', (_, schema) => {
  test('is sent as output_config.format to a model that accepts it', async () => {
    const { fake, bedrock } = connect(answer)
    const message = await parse(bedrock, { ...question, model: withFormat, output_config: { format: schema } })
    expect(message.parsed_output).toEqual({ city: 'Oslo', days: 3 })
    expectTypeOf(message.parsed_output).toEqualTypeOf<{ city: string; days?: number | undefined }>
    const [call] = fake.calls
    expect(call?.body.tools).toBeUndefined()
    expect(call?.body.output_config).toMatchObject({
      format: { type: 'json_schema', schema: { type: 'object', required: ['city'], additionalProperties: false } },
    })
    expect(message.metadata.adaptations).toBeUndefined()
  })

  test('is sent as a forced tool to other models', async () => {
    const { fake, bedrock } = connect(byTool({ city: 'Oslo' }))
    const message = await parse(bedrock, { ...question, model: withTool, output_config: { format: schema } })
    expect(message.parsed_output).toEqual({ city: 'Oslo' })
    expect(fake.calls[0]?.body).toMatchObject({
      tools: [{ name: 'output', input_schema: { type: 'object', required: ['city'] } }],
      tool_choice: { type: 'tool', name: 'output' },
    })
    expect(fake.calls[0]?.body.output_config).toBeUndefined()
  })

  test('validates the answer', async () => {
    const { bedrock } = connect('{"city":"O"}')
    const error = await parse(bedrock, { ...question, model: withFormat, output_config: { format: schema } }).catch(
      (error: unknown) => error,
    )
    if (!isBedrockError(error, 'output_invalid')) throw error
    expect(error.message).toMatch(/^The output does not match its schema: city: /)
    expect(error.issues).toHaveLength(1)
    expect(error.response.content).toMatchObject([{ text: '{"city":"O"}' }])
  })
})

describe('parse', () => {
  const format = schemas.zod

  test('needs no special reply of the fake', async () => {
    const { bedrock } = connect(undefined as never)
    const list = z.object({ rocks: z.array(z.object({ name: z.string(), kind: z.enum(['a', 'b']) })) })
    for (const model of [withFormat, withTool]) {
      const { parsed_output } = await parse(bedrock, { ...question, model, output_config: { format: list } })
      expect(parsed_output).toEqual({ rocks: [{ name: 'example', kind: 'a' }] })
    }
  })

  test('returns the same message either way, and reports the tool', async () => {
    const { bedrock } = connect(answer, byTool({ city: 'Oslo', days: 3 }))
    const one = await parse(bedrock, { ...question, model: withFormat, output_config: { format } })
    const other = await parse(bedrock, { ...question, model: withTool, output_config: { format } })
    expect(other.content).toMatchObject([{ type: 'text', text: answer }])
    expect([other.stop_reason, other.parsed_output]).toEqual([one.stop_reason, one.parsed_output])
    expect(other.metadata.adaptations).toEqual([
      {
        field: 'output_config.format',
        action: 'replaced',
        reason: 'this model does not support an output format; a tool received the answer',
      },
    ])
    expect(JSON.stringify(other)).not.toContain('metadata')
  })

  test('keeps the effort', async () => {
    const { fake, bedrock } = connect(answer, byTool({ city: 'Oslo' }))
    await parse(bedrock, { ...question, model: withFormat, output_config: { effort: 'low', format } })
    await parse(bedrock, { ...question, model: withTool, output_config: { effort: 'low', format } })
    expect(fake.calls.map(({ body }) => body.output_config)).toMatchObject([{ effort: 'low' }, { effort: 'low' }])
  })

  test('describes constraints in words that a grammar cannot express', async () => {
    const { fake, bedrock } = connect('{"n":3,"id":"b3f1c5a2-3d8f-4b3e-9a57-0c8d4b2f8a11"}')
    const bounded = z.object({ n: z.number().min(1).max(9).describe('A digit.'), id: z.uuid() })
    await parse(bedrock, { ...question, model: withFormat, output_config: { format: bounded } })
    expect(fake.calls[0]?.status).toBe(200)
    expect(fake.calls[0]?.body.output_config).toMatchObject({
      format: {
        schema: {
          properties: {
            n: { type: 'number', description: 'A digit.\n\n{minimum: 1, maximum: 9}' },
            id: { type: 'string', format: 'uuid' },
          },
        },
      },
    })
  })

  const node = z.object({
    name: z.string(),
    get children() {
      return z.array(node)
    },
  })
  test.each<[what: string, schema: z.ZodType, input: JsonObject, output: unknown]>([
    ['recursion', node, { name: 'a', children: [] }, { name: 'a', children: [] }],
    ['an open map', z.record(z.string(), z.number()), { a: 1 }, { a: 1 }],
    ['a tuple', z.object({ at: z.tuple([z.number(), z.number()]) }), { at: [1, 2] }, { at: [1, 2] }],
    ['anything', z.object({ value: z.unknown() }), { value: [1] }, { value: [1] }],
    [
      'too many optional properties',
      z.object(Object.fromEntries(Array.from({ length: 25 }, (_, i) => [`p${i}`, z.string().optional()]))),
      {},
      {},
    ],
  ])('uses a tool if a format cannot express the schema: %s', async (_, schema, input, output) => {
    const { fake, bedrock } = connect(byTool(input))
    const message = await parse(bedrock, { ...question, model: withFormat, output_config: { format: schema } })
    expect(message.parsed_output).toEqual(output)
    expect(fake.calls[0]?.body.tool_choice).toEqual({ type: 'tool', name: 'output' })
    expect(message.metadata.adaptations?.[0]?.reason).toMatch(/the format cannot express this schema/)
  })

  test.each<[what: string, schema: z.ZodType, value: JsonValue]>([
    ['a list', z.array(z.string()), ['a', 'b']],
    ['a union', z.union([z.string(), z.object({ why: z.string() })]), { why: 'no' }],
    ['a number', z.number(), 7],
  ])('wraps %s in an object', async (_, schema, value) => {
    const { fake, bedrock } = connect(JSON.stringify({ value }), byTool({ value }))
    for (const model of [withFormat, withTool]) {
      const { parsed_output } = await parse(bedrock, { ...question, model, output_config: { format: schema } })
      expect(parsed_output).toEqual(value)
    }
    expect(fake.calls[1]?.body.tools).toMatchObject([
      { input_schema: { type: 'object', properties: { value: {} }, required: ['value'] } },
    ])
  })

  test('keeps references of a wrapped schema', async () => {
    const { fake, bedrock } = connect(byTool({ value: [{ next: [] }] }))
    type Nested = { next: Nested }[]
    const nested: z.ZodType<Nested> = z.array(z.object({ next: z.lazy(() => nested) }))
    await parse(bedrock, { ...question, model: withTool, output_config: { format: nested } })
    const sent = JSON.stringify(fake.calls[0]?.body.tools)
    for (const [, pointer = ''] of sent.matchAll(/"\$ref":"([^"]+)"/g))
      expect(pointer).toMatch(/^#\/(\$defs\/|properties\/value)/)
  })

  test("accepts Anthropic's zodOutputFormat", async () => {
    const { bedrock } = connect(answer)
    const message = await parse(bedrock, {
      ...question,
      model: withFormat,
      output_config: { format: zodOutputFormat(z.object({ city: z.string() })) },
    })
    expectTypeOf(message.parsed_output).toEqualTypeOf<{ city: string }>()
    expect(message.parsed_output).toEqual({ city: 'Oslo' })
  })

  test('accepts a JSON Schema for a schema library without one', async () => {
    const { fake, bedrock } = connect(answer)
    const plain = v.object({ city: v.string(), days: v.number() })
    const jsonSchema = { type: 'object', properties: { city: { type: 'string' }, days: { type: 'number' } } }
    const message = await parse(bedrock, {
      ...question,
      model: withFormat,
      output_config: { format: outputFormat(plain, { jsonSchema }) },
    })
    expectTypeOf(message.parsed_output).toEqualTypeOf<{ city: string; days: number }>()
    expect(message.parsed_output).toEqual({ city: 'Oslo', days: 3 })
    expect(fake.calls[0]?.body.output_config).toMatchObject({ format: { schema: { properties: { days: {} } } } })
    await expect(
      parse(bedrock, { ...question, model: withFormat, output_config: { format: plain } }),
    ).rejects.toMatchObject({ code: 'configuration', hint: expect.stringContaining('toStandardJsonSchema') })
  })

  test("returns the schema's output, not its input", async () => {
    const { bedrock } = connect('{"at":"2026-10-01"}')
    const dated = z.object({ at: z.string().transform((text) => new Date(text)) })
    const message = await parse(bedrock, { ...question, model: withFormat, output_config: { format: dated } })
    expectTypeOf(message.parsed_output).toEqualTypeOf<{ at: Date }>()
    expect(message.parsed_output.at.getUTCFullYear()).toBe(2026)
  })

  test('rejects a schema that JSON cannot express, before anything is sent', async () => {
    const { fake, bedrock } = connect(answer)
    const dated = z.object({ at: z.date() })
    await expect(
      parse(bedrock, { ...question, model: withFormat, output_config: { format: dated } }),
    ).rejects.toMatchObject({ code: 'configuration', message: expect.stringContaining('Date cannot be represented') })
    expect(fake.calls).toEqual([])
  })

  test('offers the tool without forcing it if the model thinks, and keeps the thinking', async () => {
    const { fake, bedrock } = connect({
      content: [
        { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
        { type: 'text', text: 'I will use output.' },
        ...byTool({ city: 'Oslo' }).content,
      ],
    })
    const message = await parse(bedrock, {
      ...question,
      model: withTool,
      thinking: { type: 'adaptive' },
      output_config: { format },
    })
    expect(fake.calls[0]?.body.tool_choice).toEqual({ type: 'auto' })
    expect(message.content.map(({ type }) => type)).toEqual(['thinking', 'text'])
    expect(message.parsed_output).toEqual({ city: 'Oslo' })
  })

  test.each([
    ['max_tokens', 'The output was cut: max_tokens'],
    ['refusal', 'The model refused to answer'],
    ['end_turn', 'The output is not JSON'],
  ])('rejects an answer that ended with %s', async (stop_reason, message) => {
    const { bedrock } = connect({ content: [{ type: 'text', text: '{"city":"Os' }], stop_reason })
    await expect(parse(bedrock, { ...question, model: withFormat, output_config: { format } })).rejects.toMatchObject({
      name: 'OutputError',
      code: 'output_invalid',
      message,
      response: { stop_reason },
    })
  })

  test.each<[what: string, params: object, message: RegExp]>([
    ['no format', { output_config: {} }, /output_config.format is neither a schema nor/],
    ['nothing', {}, /output_config.format is neither a schema nor/],
    ['tools that are not a list', { output_config: { format }, tools: {} }, /tools must be a list/],
    ['a stream', { output_config: { format }, stream: true }, /no stream/],
    ['no model', { output_config: { format }, model: undefined }, /model/],
  ])('rejects %s', async (_, params, message) => {
    const { fake, bedrock } = connect(answer)
    const given = { ...question, model: withFormat, ...params } as never
    await expect(parse(bedrock, given)).rejects.toMatchObject({ code: 'configuration', message })
    expect(fake.calls).toEqual([])
  })

  describe.each([withFormat, withTool])('with tools, by %s', (model) => {
    const where = tool({ name: 'where', inputSchema: z.object({}), run: () => 'Oslo' })
    const call = calling({ name: 'where' })
    const params = { ...question, model, tools: [where], output_config: { format } }

    test('lets the model call them first, and then answer', async () => {
      const { fake, bedrock } = connect(call, model === withFormat ? answer : byTool({ city: 'Oslo', days: 3 }))
      const first = await parse(bedrock, params)
      expectTypeOf(first.parsed_output).toEqualTypeOf<{ city: string; days?: number | undefined } | null>()
      expect(first).toMatchObject({ parsed_output: null, stop_reason: 'tool_use', content: call.content })
      const messages = [
        ...question.messages,
        { role: 'assistant' as const, content: first.content },
        {
          role: 'user' as const,
          content: [{ type: 'tool_result' as const, tool_use_id: 'toolu_0', content: 'Oslo' }],
        },
      ]
      const last = await parse(bedrock, { ...params, messages })
      expect(last).toMatchObject({ parsed_output: { city: 'Oslo', days: 3 }, stop_reason: 'end_turn' })
      for (const { status, body } of fake.calls) {
        expect(status).toBe(200)
        expect(body.tools).toMatchObject([
          { name: 'where', input_schema: { type: 'object' } },
          ...(model === withTool ? [{ name: 'output' }] : []),
        ])
        expect(body.tool_choice).toEqual(model === withTool ? { type: 'any' } : undefined)
      }
    })

    test('rejects a forced call, which leaves no room for an answer', async () => {
      const { fake, bedrock } = connect(call)
      const forced = { type: 'tool' as const, name: 'where' }
      const { parsed_output } = await parse(bedrock, { ...params, tool_choice: forced })
      expect(parsed_output).toBeNull()
      expect(fake.calls[0]?.body).toMatchObject({ tools: [{ name: 'where' }], tool_choice: forced })
    })
  })

  test.each<[what: string, params: object, choice: JsonObject, tools: string[]]>([
    ['auto', { tool_choice: { type: 'auto' } }, { type: 'any' }, ['output', 'output_']],
    [
      'one call at a time',
      { tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
      { type: 'any', disable_parallel_tool_use: true },
      ['output', 'output_'],
    ],
    ['thinking', { thinking: { type: 'adaptive' } }, { type: 'auto' }, ['output', 'output_']],
    ['none', { tool_choice: { type: 'none' } }, { type: 'tool', name: 'output_' }, ['output_']],
  ])('adds its own tool under a unique name: %s', async (_, params, choice, tools) => {
    const { fake, bedrock } = connect({
      content: [{ type: 'tool_use', id: 'toolu_1', name: 'output_', input: { city: 'Oslo' } }],
    })
    const given = [{ name: 'output', input_schema: { type: 'object' as const } }]
    const call = { ...question, model: withTool, tools: given, output_config: { format }, ...params }
    expect((await parse(bedrock, call)).parsed_output).toEqual({ city: 'Oslo' })
    expect(fake.calls[0]?.body).toMatchObject({ tool_choice: choice, tools: tools.map((name) => ({ name })) })
  })

  test('ignores an answer next to calls, which came before their results', async () => {
    const both = [...calling({ name: 'where' }).content, ...byTool({ city: 'Oslo' }).content]
    const { bedrock } = connect({ content: both })
    const tools = [{ name: 'where', input_schema: { type: 'object' as const } }]
    const message = await parse(bedrock, { ...question, model: withTool, tools, output_config: { format } })
    expect(message.parsed_output).toBeNull()
    expect(message.content.map((block) => block.type === 'tool_use' && block.name)).toEqual(['where'])
  })

  test('leaves a cached response unchanged, and needs no catalog', async () => {
    const { fake } = connect(answer)
    const kept: unknown[] = []
    const bedrock = createBedrockClient({
      region: fake.region,
      credentials: fake.identity,
      fetch: fake.fetch,
      middleware: [
        async (request, next) => {
          const response = await next(request)
          if (response.type === 'json') kept.push(response.body)
          return response
        },
      ],
    })
    await parse(bedrock, { ...question, model: 'us.anthropic.claude-sonnet-4-6', output_config: { format } })
    expect(fake.calls[0]?.body.output_config).toBeDefined()
    expect(kept[0]).not.toHaveProperty('parsed_output')
  })

  test('ends with its signal', async () => {
    const { bedrock } = connect(answer)
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    const params = { ...question, model: withFormat, output_config: { format } }
    await expect(parse(bedrock, params, { signal })).rejects.toBe(reason)
  })
})
