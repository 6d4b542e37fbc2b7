import { isBedrockError, type Message, type MessageStream } from 'outcrop'
import { type RunnableTool, runTools, tool, ToolError, type ToolRunner } from 'outcrop/tools'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { calling, connect, schemas } from './support.ts'

const question = {
  model: 'sonnet',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'How is the weather in Oslo?' }],
}
const weather = (run: (city: string) => unknown = (city) => `Sunny in ${city}`): RunnableTool<{ city: string }> =>
  tool({
    name: 'weather',
    description: 'Tells the weather.',
    inputSchema: z.object({ city: z.string() }),
    run: ({ city }) => run(city),
  })
const asksWeather = calling({ name: 'weather', input: { city: 'Oslo' } })

describe('tool', () => {
  test.each(Object.entries(schemas))('accepts a schema of %s, and types its input', async (_, inputSchema) => {
    const { fake, bedrock } = connect(calling({ name: 'forecast', input: { city: 'Oslo', days: 2 } }), 'Sunny.')
    const seen: unknown[] = []
    const forecast = tool({
      name: 'forecast',
      inputSchema,
      cache_control: { type: 'ephemeral' },
      run: (input, { toolUse, signal }) => {
        expectTypeOf(input.city).toEqualTypeOf<string>()
        expectTypeOf(input.days).toEqualTypeOf<number | undefined>()
        seen.push(input, toolUse.name, signal.aborted)
        return 'Sunny'
      },
    })
    await runTools(bedrock, { ...question, tools: [forecast] })
    expect(seen).toEqual([{ city: 'Oslo', days: 2 }, 'forecast', false])
    expect(fake.calls[0]?.body.tools).toEqual([
      {
        name: 'forecast',
        cache_control: { type: 'ephemeral' },
        input_schema: expect.objectContaining({ type: 'object', required: ['city'] }),
      },
    ])
  })

  test.each<[what: string, options: object, message: RegExp]>([
    ['an invalid name', { name: 'the weather' }, /name of the tool "the weather"/],
    ['no name', { name: undefined }, /name of the tool/],
    ['an input that is not an object', { inputSchema: z.string() }, /input of the tool "weather" is not an object/],
    ['no function', { run: 'sunny' }, /run of the tool "weather" is not a function/],
    ['an invalid schema', { inputSchema: { type: 'object' } }, /inputSchema of the tool "weather"/],
    ['an invalid JSON Schema', { jsonSchema: 'object' }, /jsonSchema of the tool "weather" must be an object/],
  ])('rejects %s', (_, options, message) => {
    const given = { name: 'weather', inputSchema: z.object({}), run: () => '', ...options }
    expect(() => tool(given as never)).toThrow(
      expect.objectContaining({ code: 'configuration', message: expect.stringMatching(message) }),
    )
  })
})

describe('runTools', () => {
  test('runs the tools that the model calls, and returns the last message', async () => {
    const { fake, bedrock } = connect(asksWeather, 'It is sunny.')
    const runner = runTools(bedrock, { ...question, tools: [weather()] })
    const message = await runner
    expect(message.content).toMatchObject([{ type: 'text', text: 'It is sunny.' }])
    expect(fake.calls.map(({ body }) => body.messages)).toEqual([
      question.messages,
      [
        ...question.messages,
        { role: 'assistant', content: asksWeather.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_0', content: 'Sunny in Oslo' }] },
      ],
    ])
    expect(runner.messages.at(-1)).toEqual({ role: 'assistant', content: message.content })
    expect(fake.calls[0]?.body.tools).toEqual([
      {
        name: 'weather',
        description: 'Tells the weather.',
        input_schema: {
          type: 'object',
          properties: { city: { type: 'string' } },
          required: ['city'],
        },
      },
    ])
  })

  test('sums the tokens of all turns', async () => {
    const usage = { input_tokens: 10, output_tokens: 3, cache_read_input_tokens: 5 }
    const { bedrock } = connect({ ...asksWeather, usage }, { content: [{ type: 'text', text: 'Sunny.' }], usage })
    const runner = runTools(bedrock, { ...question, tools: [weather()] })
    const { metadata } = await runner
    expect(runner.usage).toEqual({ ...metadata.usage, inputTokens: 20, outputTokens: 6, cacheReadInputTokens: 10 })
  })

  test("yields each turn's message as it arrives", async () => {
    const { bedrock } = connect(asksWeather, asksWeather, 'Sunny.')
    const runner = runTools(bedrock, { ...question, tools: [weather()] })
    expectTypeOf(runner).toEqualTypeOf<ToolRunner<Message>>()
    const reasons = []
    for await (const message of runner) reasons.push(message.stop_reason)
    expect(reasons).toEqual(['tool_use', 'tool_use', 'end_turn'])
    expect((await runner).stop_reason).toBe('end_turn')
    await expect(async () => {
      for await (const _ of runner);
    }).rejects.toMatchObject({ code: 'configuration' })
  })

  test('yields each turn as a stream', async () => {
    const { fake, bedrock } = connect(asksWeather, 'It is sunny.')
    const runner = runTools(bedrock, { ...question, tools: [weather()], stream: true })
    expectTypeOf(runner).toEqualTypeOf<ToolRunner<MessageStream>>()
    let text = ''
    for await (const stream of runner) for await (const piece of stream.textStream) text += piece
    expect(text).toBe('It is sunny.')
    expect((await runner.finalMessage()).stop_reason).toBe('end_turn')
    expect(fake.calls.map(({ operation }) => operation)).toEqual(Array(2).fill('InvokeModelWithResponseStream'))
    expect(fake.calls[1]?.body.messages).toMatchObject([{}, {}, { content: [{ content: 'Sunny in Oslo' }] }])
  })

  test("ends a turn's stream when the loop is left", async () => {
    const { fake, bedrock } = connect(asksWeather)
    for await (const stream of runTools(bedrock, { ...question, tools: [weather()], stream: true })) {
      await stream.started()
      break
    }
    expect(fake.calls).toHaveLength(1)
    expect(fake.calls[0]?.aborted).toBe(true)
  })

  test('runs the calls of one turn concurrently, and keeps their order', async () => {
    const { fake, bedrock } = connect(
      calling({ name: 'weather', input: { city: 'Oslo' } }, { name: 'weather', input: { city: 'Bergen' } }),
      'Done.',
    )
    const waiting: (() => void)[] = []
    const tools = [
      weather(async (city) => {
        // The first one waits for the other.
        await new Promise<void>((resolve) => {
          waiting.push(resolve)
          if (waiting.length === 2) for (const go of waiting.reverse()) go()
        })
        return city
      }),
    ]
    await runTools(bedrock, { ...question, tools })
    expect(fake.calls[1]?.body.messages).toMatchObject([
      {},
      {},
      { content: [{ content: 'Oslo' }, { content: 'Bergen' }] },
    ])
  })

  const image = {
    type: 'image' as const,
    source: { type: 'base64' as const, media_type: 'image/png' as const, data: 'aGk=' },
  }
  test.each<[what: string, value: unknown, content: unknown]>([
    ['a string', 'Sunny', 'Sunny'],
    ['blocks', [{ type: 'text', text: 'See:' }, image], [{ type: 'text', text: 'See:' }, image]],
    ['an object', { degrees: 21 }, '{"degrees":21}'],
    ['a list', [1, 2], '[1,2]'],
    ['an empty list', [], '[]'],
    ['a list of objects with a type', [{ type: 'cumulus' }], '[{"type":"cumulus"}]'],
    ['a number', 0, '0'],
    ['nothing', undefined, undefined],
    ['an empty string', '', undefined],
  ])('sends the model %s', async (_, value, content) => {
    const { fake, bedrock } = connect(asksWeather, 'Done.')
    await runTools(bedrock, { ...question, tools: [weather(() => value)] })
    const sent = fake.calls[1]?.body.messages as { content: object[] }[]
    expect(sent[2]?.content).toEqual([
      { type: 'tool_result', tool_use_id: 'toolu_0', ...(content !== undefined && { content }) },
    ])
  })

  const failing = (error: unknown): RunnableTool<{ city: string }> =>
    weather(() => {
      throw error
    })
  test.each<[what: string, tools: RunnableTool[], content: unknown]>([
    ['throws', [failing(new RangeError('No such city'))], 'RangeError: No such city'],
    ['throws a ToolError', [failing(new ToolError([image]))], [image]],
    ['throws a string', [failing('broken')], 'broken'],
    ['throws undefined', [failing(undefined)], 'The tool failed'],
    ['returns a value that is not JSON', [weather(() => 1n)], 'TypeError: Do not know how to serialize a BigInt'],
    ['throws a secret', [failing(new Error('password=hunter2-example'))], 'Error: password=[redacted]'],
    [
      'rejects its input',
      [tool({ name: 'weather', inputSchema: z.object({ place: z.string('Expected text') }), run: () => '' })],
      'The input does not match its schema: place: Expected text',
    ],
    ['does not exist', [], 'Unknown tool "weather".'],
  ])('reports a tool to the model that %s', async (_, tools, content) => {
    const { fake, bedrock } = connect(asksWeather, 'Sorry.')
    const message = await runTools(bedrock, { ...question, tools })
    expect(message.stop_reason).toBe('end_turn')
    const sent = fake.calls[1]?.body.messages as { content: object[] }[]
    expect(sent[2]?.content).toEqual([{ type: 'tool_result', tool_use_id: 'toolu_0', content, is_error: true }])
  })

  test('leaves a call to the caller if the tool has no function', async () => {
    const { fake, bedrock } = connect(calling({ name: 'weather', input: { city: 'Oslo' } }, { name: 'ask_user' }))
    let runs = 0
    const tools = [weather(() => runs++), { name: 'ask_user', input_schema: { type: 'object' as const } }]
    const runner = runTools(bedrock, { ...question, tools })
    const message = await runner
    expect(message.stop_reason).toBe('tool_use')
    expect([runs, fake.calls.length, runner.messages.length]).toEqual([0, 1, 2])
  })

  test('does not run a call that may be cut', async () => {
    let runs = 0
    const { bedrock } = connect({ ...asksWeather, stop_reason: 'max_tokens' })
    const message = await runTools(bedrock, { ...question, tools: [weather(() => runs++)] })
    expect([message.stop_reason, runs]).toEqual(['max_tokens', 0])
  })

  test('forces a tool only in the first turn', async () => {
    const { fake, bedrock } = connect(asksWeather, asksWeather, 'Done.')
    const tool_choice = { type: 'any' as const, disable_parallel_tool_use: true }
    await runTools(bedrock, { ...question, tools: [weather()], tool_choice })
    const auto = { type: 'auto', disable_parallel_tool_use: true }
    expect(fake.calls.map(({ body }) => body.tool_choice)).toEqual([tool_choice, auto, auto])
  })

  test("runs Anthropic's own tools by their names", async () => {
    const { fake, bedrock } = connect(calling({ name: 'bash', input: { command: 'ls' } }), 'Done.')
    const bash: RunnableTool<{ command: string }> = {
      type: 'bash_20250124',
      name: 'bash',
      run: ({ command }) => `ran ${command}`,
    }
    await runTools(bedrock, { ...question, tools: [bash] })
    expect(fake.calls[0]?.body.tools).toEqual([{ type: 'bash_20250124', name: 'bash' }])
    expect(fake.calls[1]?.body.messages).toMatchObject([{}, {}, { content: [{ content: 'ran ls' }] }])
  })
})

describe('limits', () => {
  test.each<[limits: object, calls: number, limit: string]>([
    [{ turns: 1 }, 1, 'turns'],
    [{ turns: 3 }, 3, 'turns'],
    [{}, 20, 'turns'],
    [{ toolCalls: 2 }, 3, 'toolCalls'],
    [{ tokens: 25 }, 2, 'tokens'],
  ])('%j end an endless loop', async (limits, calls, limit) => {
    let runs = 0
    const { fake, bedrock } = connect({ ...asksWeather, usage: { input_tokens: 10, output_tokens: 3 } })
    const runner = runTools(bedrock, { ...question, tools: [weather(() => runs++)], limits })
    const seen: Message[] = []
    const error = await (async () => {
      for await (const message of runner) seen.push(message)
    })().catch((error: unknown) => error)
    if (!isBedrockError(error, 'limit_reached')) throw error
    expect([fake.calls.length, runs, seen.length]).toEqual([calls, calls - 1, calls])
    expect(error).toMatchObject({ name: 'LimitError', limit, hint: expect.stringContaining(`limits.${limit}`) })
    expect(error.response).toBe(seen.at(-1))
    await expect(runner.finalMessage()).rejects.toBe(error)
  })

  test('keep a last answer', async () => {
    const { bedrock } = connect(asksWeather, 'Sunny.')
    const limits = { turns: 2, toolCalls: 1, tokens: 1000 }
    const { stop_reason } = await runTools(bedrock, { ...question, tools: [weather()], limits })
    expect(stop_reason).toBe('end_turn')
  })

  test.each<[limits: object, message: RegExp]>([
    [{ turns: 0 }, /limits.turns must be a whole number/],
    [{ tokens: '9' }, /limits.tokens must be/],
    [{ tool_calls: 3 }, /Unknown option "limits.tool_calls"/],
    [{ constructor: 3 }, /Unknown option "limits.constructor"/],
  ])('%j are rejected', (limits, message) => {
    const { bedrock } = connect('')
    expect(() => runTools(bedrock, { ...question, tools: [], limits })).toThrow(
      expect.objectContaining({ code: 'configuration', message: expect.stringMatching(message) }),
    )
  })
})

describe('invalid tools are rejected before anything is sent', () => {
  test.each<[what: string, tools: unknown, message: RegExp]>([
    ['no list', undefined, /tools must be a list/],
    ['two of a name', [weather(), weather()], /Two tools have the name "weather"/],
    ['no schema', [{ name: 'now', run: () => '' }], /input of the tool "now"/],
    ['nothing', [undefined], /tools must be a list of tools/],
  ])('%s', (_, tools, message) => {
    const { bedrock } = connect('')
    const given = { ...question, tools } as Parameters<typeof runTools>[1]
    expect(() => runTools(bedrock, given)).toThrow(
      expect.objectContaining({ code: 'configuration', message: expect.stringMatching(message) }),
    )
  })
})

describe('abort', () => {
  test("ends a loop whose tool does not listen, and aborts the tool's signal", async () => {
    const { fake, bedrock } = connect(asksWeather)
    const controller = new AbortController()
    const reason = new Error('enough')
    let signal: AbortSignal | undefined
    const stuck = tool({
      name: 'weather',
      inputSchema: z.object({}),
      run: (_, context) => {
        signal = context.signal
        controller.abort(reason)
        return new Promise(() => {})
      },
    })
    const runner = runTools(bedrock, { ...question, tools: [stuck] }, { signal: controller.signal })
    await expect(runner.finalMessage()).rejects.toBe(reason)
    expect(signal?.reason).toBe(reason)
    expect(fake.calls).toHaveLength(1)
  })

  test('before the first turn sends nothing', async () => {
    const { fake, bedrock } = connect(asksWeather)
    const reason = new Error('enough')
    const runner = runTools(bedrock, { ...question, tools: [weather()] }, { signal: AbortSignal.abort(reason) })
    await expect(runner.finalMessage()).rejects.toBe(reason)
    expect(fake.calls).toEqual([])
  })

  test('in the loop body ends it before the tools run', async () => {
    const { bedrock } = connect(asksWeather)
    const controller = new AbortController()
    let runs = 0
    const runner = runTools(bedrock, { ...question, tools: [weather(() => runs++)] }, controller)
    await expect(async () => {
      for await (const _ of runner) controller.abort()
    }).rejects.toMatchObject({ name: 'AbortError' })
    expect(runs).toBe(0)
  })
})

test('an error of a call ends the loop without an unhandled rejection', async () => {
  const { fake, bedrock } = connect(asksWeather)
  fake.fail('iam-denied')
  const runner = runTools(bedrock, { ...question, tools: [weather()] })
  await expect(async () => {
    for await (const _ of runner);
  }).rejects.toMatchObject({ code: 'service' })
  // Nobody asked for runner.finalMessage().
})

test('a loop that was left can be garbage collected', async () => {
  const { bedrock } = connect(asksWeather)
  const runner = runTools(bedrock, { ...question, tools: [weather()] })
  for await (const _ of runner) break
  expect((await runner).stop_reason).toBe('tool_use')
})

test('a call with a cut input is not run, and the model is told', async () => {
  const { bedrock } = connect(
    [
      { type: 'message_start', message: { id: 'msg_1', type: 'message', role: 'assistant', content: [], usage: {} } },
      {
        type: 'content_block_start',
        index: 0,
        content_block: { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} },
      },
      { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: '{"city": "Os' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 5 } },
      { type: 'message_stop' },
    ],
    'Then not.',
  )
  const ran: string[] = []
  const tools = [
    { name: 'weather', input_schema: { type: 'object' as const }, run: (): unknown => ran.push('weather') },
  ]
  const runner = runTools(bedrock, { ...question, tools, stream: true })
  await runner.finalMessage().catch(() => {})
  expect(ran).toEqual([])
})
