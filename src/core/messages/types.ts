import type { Message, RawMessageStreamEvent, MessageCreateParamsBase } from '@anthropic-ai/sdk/resources/messages/messages'
export type { Message, RawMessageStreamEvent, MessageCreateParamsBase }
