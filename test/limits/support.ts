import { createBedrockClient, type BedrockClient } from 'outcrop'
import { type Limits, type LimitsOptions, limits } from 'outcrop/limits'
import { createFakeBedrock, type FakeBedrock, type FakeBedrockOptions } from 'outcrop/testing'
import { createManualClock } from '../caching/support.ts'

export const base = 'anthropic.claude-sonnet-4-6'

/** Lets everything run that waits for nothing but promises. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
}

export interface Scene {
  readonly clock: ReturnType<typeof createManualClock>
  readonly fake: FakeBedrock
  readonly limiter: Limits
  readonly bedrock: BedrockClient
  readonly warnings: string[]
}

/** A fake Bedrock and a client with limits, on one clock. */
export function setUp(options: LimitsOptions = {}, fakeOptions: FakeBedrockOptions = {}): Scene {
  const clock = createManualClock()
  const fake = createFakeBedrock({ clock, ...fakeOptions })
  const limiter = limits(options)
  const warnings: string[] = []
  const quiet = (): void => {}
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    clock,
    retry: false,
    middleware: [limiter],
    logger: { debug: quiet, info: quiet, warn: (message) => void warnings.push(message), error: quiet },
  })
  return { clock, fake, limiter, bedrock, warnings }
}

export const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 1_000,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}

/** A quota of tokens per minute for the model that {@link params} calls. */
export const quota = (tokensPerMinute: number) => [{ model: base, bucket: 'cross-region' as const, tokensPerMinute }]
