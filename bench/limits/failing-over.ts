import { createBedrockClient } from '../../src/index.ts'
import { failover } from '../../src/failover/index.ts'
import { limits } from '../../src/limits/index.ts'
import type { Call, SimulatedRegion, Usage } from './bedrock.ts'
import type { Scene, Send } from './strategies.ts'

const model = 'us.anthropic.claude-sonnet-4-6'
const names = ['us-east-1', 'us-west-2']

/** A real client with the real `failover`, followed by `limits`. Its network is the simulation. */
export function openFailover(scene: Scene): () => Send {
  const { time, regions, quota, clients } = scene
  const underWay = new Map<string, Call>()
  let count = 0
  const answer = async (region: SimulatedRegion, call: Call): Promise<Response> => {
    await time.sleep(20)
    const admitted = region.admit(call)
    if (!admitted) {
      const headers = { 'x-amzn-errortype': 'ThrottlingException' }
      return Response.json({ message: 'Too many tokens, please wait before trying again.' }, { status: 429, headers })
    }
    await time.sleep(admitted.latency)
    admitted.settle()
    return Response.json({ usage: wireUsage(admitted.usage) })
  }
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const region = regions[names.findIndex((name) => String(input).includes(name))] as SimulatedRegion
    const call = underWay.get(new Headers(init?.headers).get('x-call') ?? '') as Call
    const response = await answer(region, call)
    // The body is read in real time.
    time.hold()
    return response
  }
  const perMinute = { model: 'anthropic.claude-sonnet-4-6', bucket: 'cross-region' as const, tokensPerMinute: quota }
  return () => {
    const bedrock = createBedrockClient({
      region: 'us-east-1',
      credentials: 'none',
      fetch,
      clock: time,
      random: scene.random,
      middleware: [
        failover([{ region: 'us-west-2' }]),
        limits({ quotas: [perMinute], instances: clients, account: 'simulated', maxWait: 2_000 }),
      ],
    })
    return async (call) => {
      const id = String(++count)
      underWay.set(id, call)
      const body = {
        anthropic_version: 'bedrock-2023-05-31',
        max_tokens: call.maxTokens,
        system: call.prefix,
        messages: [{ role: 'user', content: 'abcd'.repeat(call.cacheable + call.fresh) }],
      }
      const headers = { 'x-call': id, 'x-claude-code-session-id': call.prefix }
      time.hold()
      return bedrock
        .invoke({ model, body }, { headers })
        .then(
          ({ metadata }) => metadata.usage as Usage,
          () => undefined,
        )
        .finally(() => underWay.delete(id))
    }
  }
}

function wireUsage({ inputTokens, outputTokens, cacheReadInputTokens, cacheWriteInputTokens }: Usage) {
  return {
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    cache_read_input_tokens: cacheReadInputTokens,
    cache_creation_input_tokens: cacheWriteInputTokens,
  }
}
