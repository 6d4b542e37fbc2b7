import { createAnthropic } from '@ai-sdk/anthropic'
import Anthropic from '@anthropic-ai/sdk'
import { ChatAnthropic } from '@langchain/anthropic'
import Anthropic0 from 'anthropic-sdk-0'
import { createBedrockClient } from 'outcrop'
import { anthropicFetch, anthropicOptions } from 'outcrop/anthropic'
import { createBedrockClient as createCoreClient } from 'outcrop/core'
import { expect, test } from 'vitest'

// The compiler is what tests here: nothing is cast.
test('the types fit each SDK without a cast, for both clients', () => {
  for (const bedrock of [createBedrockClient(), createCoreClient()]) {
    const fetch = anthropicFetch(bedrock)
    const apiKey = 'unused'
    const { maxRetries, ...options } = anthropicOptions(bedrock)
    expect([
      new Anthropic({ apiKey, fetch }),
      new Anthropic(anthropicOptions(bedrock)),
      new Anthropic0({ apiKey, fetch }),
      new Anthropic0(anthropicOptions(bedrock)),
      createAnthropic({ apiKey, fetch }),
      createAnthropic(anthropicOptions(bedrock)),
      new ChatAnthropic({ model: 'claude-sonnet-4-6', apiKey, maxRetries, clientOptions: { fetch } }),
      new ChatAnthropic({ model: 'claude-sonnet-4-6', apiKey, maxRetries, clientOptions: options }),
    ]).toHaveLength(8)
  }
})
