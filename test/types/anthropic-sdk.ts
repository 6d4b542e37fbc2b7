// Held by `npm run typecheck`: parameters of Anthropic's SDK fit here, and the other way round. Nothing of it runs.
import type Anthropic from '@anthropic-ai/sdk'
import type AnthropicOfOld from 'anthropic-sdk-0'
import type {
  BedrockClient,
  ContentBlockParam,
  KnownModel,
  Message,
  MessageCountTokensParams,
  MessageCreateParams,
  MessageCreateParamsNonStreaming,
  MessageCreateParamsStreaming,
  MessageInput,
  MessageParam,
  MessageStream,
  MessageStreamParams,
  Model,
  ModelRef,
  RawMessageStreamEvent,
  TextBlockParam,
  Tool,
  ToolResultBlockParam,
} from 'outcrop'
import type { MessageCreateParamsBase } from '@anthropic-ai/sdk/resources/messages/messages'
import { runTools } from 'outcrop/tools'
import { expectTypeOf } from 'vitest'

export async function takesAnthropicsParams(
  bedrock: BedrockClient,
  given: {
    plain: Anthropic.MessageCreateParamsNonStreaming
    streaming: Anthropic.MessageCreateParamsStreaming
    union: Anthropic.MessageCreateParams
    base: MessageCreateParamsBase
    counted: Anthropic.MessageCountTokensParams
    beta: Anthropic.Beta.Messages.MessageCreateParamsNonStreaming
    betaStreaming: Anthropic.Beta.Messages.MessageCreateParamsStreaming
    betaUnion: Anthropic.Beta.Messages.MessageCreateParams
    old: AnthropicOfOld.MessageCreateParamsNonStreaming
    oldUnion: AnthropicOfOld.MessageCreateParams
    oldBeta: AnthropicOfOld.Beta.Messages.MessageCreateParamsNonStreaming
  },
): Promise<void> {
  expectTypeOf(await bedrock.messages.create(given.plain)).toEqualTypeOf<Message>()
  expectTypeOf(await bedrock.messages.create(given.streaming)).toEqualTypeOf<MessageStream>()
  expectTypeOf(await bedrock.messages.create(given.union)).toEqualTypeOf<Message | MessageStream>()
  expectTypeOf(await bedrock.messages.create(given.base)).toEqualTypeOf<Message | MessageStream>()
  expectTypeOf(await bedrock.messages.create(given.beta)).toEqualTypeOf<Message>()
  expectTypeOf(await bedrock.messages.create(given.betaStreaming)).toEqualTypeOf<MessageStream>()
  expectTypeOf(await bedrock.messages.create(given.betaUnion)).toEqualTypeOf<Message | MessageStream>()
  expectTypeOf(await bedrock.messages.create(given.old)).toEqualTypeOf<Message>()
  expectTypeOf(await bedrock.messages.create(given.oldUnion)).toEqualTypeOf<Message | MessageStream>()
  expectTypeOf(await bedrock.messages.create(given.oldBeta)).toEqualTypeOf<Message>()
  for (const params of Object.values(given)) if ('max_tokens' in params) bedrock.messages.stream(params)
  await bedrock.messages.countTokens(given.counted)
  await bedrock.messages.countTokens(given.plain)
  await bedrock.messages.countTokens(given.beta)
  await runTools(bedrock, { ...given.plain, tools: [] })

  const named: MessageCreateParams = given.union
  const [a, b]: [MessageCreateParamsNonStreaming, MessageCreateParamsStreaming] = [given.plain, given.streaming]
  const [c, d]: [MessageInput<MessageCreateParams>, MessageCountTokensParams] = [given.beta, given.counted]
  console.log(named, a, b, c, d)
}

export async function fitsAnthropicsClient(
  anthropic: Anthropic,
  bedrock: BedrockClient,
  ours: {
    plain: MessageCreateParamsNonStreaming
    streaming: MessageCreateParamsStreaming
    union: MessageCreateParams
    stream: MessageStreamParams
    message: Message
    event: RawMessageStreamEvent
    messages: MessageParam[]
    block: ContentBlockParam
    tool: Tool
    text: TextBlockParam
    result: ToolResultBlockParam
  },
): Promise<void> {
  await anthropic.messages.create(ours.plain)
  await anthropic.messages.create(ours.streaming)
  await anthropic.messages.create(ours.union)
  await anthropic.beta.messages.create(ours.plain)
  await anthropic.beta.messages.create(ours.streaming)
  await anthropic.beta.messages.create(ours.union)
  anthropic.messages.stream(ours.stream)
  await anthropic.messages.create({ model: 'm', max_tokens: 1, messages: ours.messages, tools: [ours.tool] })

  const message: Anthropic.Message = ours.message
  const event: Anthropic.RawMessageStreamEvent = ours.event
  const [block, text, result]: [Anthropic.ContentBlockParam, Anthropic.TextBlockParam, Anthropic.ToolResultBlockParam] =
    [ours.block, ours.text, ours.result]
  console.log(message, event, block, text, result)

  // The response of one fits the next call of the other.
  const answer = await anthropic.messages.create(ours.plain)
  const turn = { role: 'assistant', content: answer.content } as const
  const { content } = await bedrock.messages.create({ ...ours.plain, messages: [...ours.messages, turn] })
  await anthropic.messages.create({ ...ours.plain, messages: [...ours.messages, { role: 'assistant', content }] })
}

export async function takesConstants(bedrock: BedrockClient, ref: ModelRef, isStreamed: boolean): Promise<void> {
  const params = {
    model: 'sonnet',
    max_tokens: 100,
    system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }],
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'now', input: {} }] },
      {
        role: 'user',
        content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: '12' }] }],
      },
    ],
    tools: [{ name: 'now', input_schema: { type: 'object', properties: {}, required: ['zone'] } }],
    tool_choice: { type: 'auto' },
    stop_sequences: ['END'],
    betas: ['context-management-2025-06-27'],
    context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] },
  } as const
  expectTypeOf(await bedrock.messages.create(params)).toEqualTypeOf<Message>()
  expectTypeOf(await bedrock.messages.create({ ...params, stream: true })).toEqualTypeOf<MessageStream>()
  expectTypeOf(await bedrock.messages.create({ ...params, stream: isStreamed })).toEqualTypeOf<
    Message | MessageStream
  >()
  expectTypeOf(await bedrock.messages.create({ ...params, model: ref })).toEqualTypeOf<Message>()
  bedrock.messages.stream(params)
  await bedrock.messages.countTokens(params)
  await runTools(bedrock, params)
}

export async function refuses(bedrock: BedrockClient): Promise<void> {
  const messages = [{ role: 'user' as const, content: 'Hi' }]
  // @ts-expect-error max_tokens is missing
  await bedrock.messages.create({ model: 'sonnet', messages })
  // @ts-expect-error a misspelled field
  await bedrock.messages.create({ model: 'sonnet', max_tokens: 1, messages, sytem: 'Be brief.' })
  const block = { type: 'text' as const, txt: '' }
  // @ts-expect-error a misspelled field of a block
  bedrock.messages.stream({ model: 'sonnet', max_tokens: 1, messages: [{ role: 'user', content: [block] }] })
  // @ts-expect-error no such role
  bedrock.messages.stream({ model: 'sonnet', max_tokens: 1, messages: [{ role: 'users', content: 'Hi' }] })
}

// The names that an editor suggests, and others that are accepted.
expectTypeOf<'sonnet' | 'claude-sonnet-4-6' | 'us.anthropic.claude-sonnet-4-6'>().toExtend<KnownModel>()
expectTypeOf<string>().toExtend<Model>()
expectTypeOf<KnownModel>().not.toEqualTypeOf<string>()
