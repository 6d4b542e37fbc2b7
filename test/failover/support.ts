import { type BedrockClientOptions, createBedrockClient, type FailoverOutcome } from 'outcrop'
import { type FailoverOptions, type FailoverTargets, failover } from 'outcrop/failover'
import { createFakeBedrock, type FakeBedrock, type FakeBedrockOptions } from 'outcrop/testing'

export const params = { model: 'sonnet', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hi' }] }
export const sonnet = 'us.anthropic.claude-sonnet-4-6'
export const minutes = (count: number): number => count * 60_000

/** A Bedrock with one fake per Region, a clock that tests set, and a log. */
export function setUp(options: BedrockClientOptions & { fakes?: FakeBedrockOptions } = {}) {
  const { fakes: shared, ...others } = options
  const time = { now: Date.UTC(2026, 10, 26) }
  const clock = {
    now: () => time.now,
    setTimeout: (callback: () => void, milliseconds: number) => setTimeout(callback, milliseconds),
    clearTimeout: (handle: unknown) => clearTimeout(handle as NodeJS.Timeout),
  }
  const fakes = new Map<string, FakeBedrock>()
  const at = (region: string): FakeBedrock => {
    const fake = fakes.get(region) ?? createFakeBedrock({ region, clock, ...shared })
    fakes.set(region, fake)
    return fake
  }
  const log: string[] = []
  const write = (message: string) => void log.push(message)
  const base = createBedrockClient({
    region: 'us-east-1',
    credentials: at('us-east-1').identity,
    fetch: (input, init) => {
      const { host } = new URL(input instanceof Request ? input.url : String(input))
      return at(host.split('.')[1] as string).fetch(input, init)
    },
    retry: { baseDelay: 0 },
    clock,
    env: {},
    logger: { debug: () => {}, info: () => {}, warn: write, error: write },
    ...others,
  })
  const withTargets = (targets: FailoverTargets, failoverOptions?: FailoverOptions) =>
    base.withOptions({ middleware: [...(others.middleware ?? []), failover(targets, failoverOptions)] })
  /** Where each call went, such as `us-east-1 us.anthropic.claude-sonnet-4-6`. */
  const callsAt = (region: string): string[] => at(region).calls.map(({ model = '' }) => model)
  return { base, withTargets, at, callsAt, log, time }
}

/** The parts of an outcome that most tests look at. */
export function route({ failover: outcome }: { readonly failover?: FailoverOutcome | undefined }): string {
  const { target, reason, tried } = outcome as FailoverOutcome
  return [...tried.map((each) => `${each.target} (${each.cause})`), `${target} (${reason})`].join(' > ')
}
