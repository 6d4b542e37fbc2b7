import { type BedrockClient, type BedrockClientOptions, createBedrockClient } from 'outcrop'
import { type AnthropicFetchOptions, anthropicFetch } from 'outcrop/anthropic'
import { createFakeBedrock, type FakeBedrock, type FakeBedrockOptions } from 'outcrop/testing'

export interface Connected {
  readonly fake: FakeBedrock
  readonly bedrock: BedrockClient
  readonly fetch: typeof fetch
}

/** A fake Bedrock, a client of it, and Anthropic's API in front of that. */
export function connect(
  fakeOptions: FakeBedrockOptions = {},
  options: AnthropicFetchOptions = {},
  clientOptions: BedrockClientOptions = {},
): Connected {
  const fake = createFakeBedrock(fakeOptions)
  const bedrock = createBedrockClient({
    region: fake.region,
    credentials: fake.identity,
    fetch: fake.fetch,
    retry: false,
    ...clientOptions,
  })
  return { fake, bedrock, fetch: anthropicFetch(bedrock, options) }
}

/** Calls to Anthropic's API as a client makes them, without a client. */
export function post(fetch: typeof globalThis.fetch, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch('https://api.anthropic.com/v1/messages', {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...init,
  })
}

export const params = {
  model: 'claude-sonnet-4-6',
  max_tokens: 1000,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}

/** A clock whose timers run when they are told to. */
export function manualClock() {
  const timers = new Map<object, { readonly callback: () => void; readonly milliseconds: number }>()
  return {
    timers,
    now: () => 0,
    setTimeout: (callback: () => void, milliseconds: number) => {
      const handle = {}
      timers.set(handle, { callback, milliseconds })
      return handle
    },
    clearTimeout: (handle: unknown) => void timers.delete(handle as object),
    /** Runs what waits for so long. */
    pass(milliseconds: number): void {
      for (const [handle, timer] of [...timers]) {
        if (timer.milliseconds !== milliseconds) continue
        timers.delete(handle)
        timer.callback()
      }
    },
  }
}
