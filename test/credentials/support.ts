import { inspect } from 'node:util'
import type { AwsCredentialIdentity, BedrockClientOptions, CredentialProvider } from 'outcrop'
import { createBedrockClient } from 'outcrop'
import type { FakeBedrock } from 'outcrop/testing'
import { expect } from 'vitest'

/** Whether the fake Bedrock verifies a call that is made with these credentials. */
export async function expectVerified(
  fake: FakeBedrock,
  credentials: CredentialProvider | AwsCredentialIdentity,
  options: BedrockClientOptions = {},
): Promise<void> {
  const bedrock = createBedrockClient({ region: fake.region, fetch: fake.fetch, retry: false, ...options, credentials })
  await bedrock.messages.create({ model: 'sonnet', max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] })
  expect(fake.calls.at(-1)).toMatchObject({ operation: 'InvokeModel', signature: { valid: true }, status: 200 })
}

/** The error that a promise rejects with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable('it should have been rejected'),
    (error) => error,
  )
}

/** Everything that a person could get to see of something. */
export function everythingOf(value: unknown): string {
  const error = value as Error
  return [inspect(value, { depth: 10, showHidden: true }), String(value), JSON.stringify(value), error?.stack].join(
    '\n',
  )
}

/** Sets variables of the environment, unsets all other AWS ones, and gives a function that undoes it. */
export function setEnvironment(variables: Readonly<Record<string, string>>): () => void {
  const before = { ...process.env }
  for (const name of Object.keys(process.env)) if (/^AWS_|^OUTCROP_/.test(name)) delete process.env[name]
  Object.assign(process.env, variables)
  return () => {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name]
    Object.assign(process.env, before)
  }
}

/** A clock that stands until it is moved. */
export function createTestClock(now: number = Date.UTC(2026, 10, 20)): {
  now: () => number
  setTimeout: typeof setTimeout
  clearTimeout: (handle: unknown) => void
  advance: (milliseconds: number) => void
} {
  let time = now
  return {
    now: () => time,
    setTimeout,
    clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
    advance: (milliseconds) => {
      time += milliseconds
    },
  }
}
