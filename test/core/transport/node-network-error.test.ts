import { createBedrockClient } from 'outcrop/core'
import { expect, test } from 'vitest'

const params = {
  model: 'us.anthropic.claude-sonnet-4-6',
  max_tokens: 10,
  messages: [{ role: 'user' as const, content: 'Hi' }],
}

// As undici throws them: the code lies in the cause, and with several addresses in the first of its errors.
test.each([
  ['UND_ERR_HEADERS_TIMEOUT', { code: 'timeout', phase: 'response', hint: expect.stringContaining('300 s') }, 1],
  ['UND_ERR_BODY_TIMEOUT', { code: 'timeout', phase: 'idle', hint: expect.stringContaining('300 s') }, 1],
  ['UND_ERR_CONNECT_TIMEOUT', { code: 'timeout', phase: 'connect', retryable: true }, 3],
  ['ETIMEDOUT', { code: 'timeout', phase: 'connect', retryable: true }, 3],
  ['ECONNREFUSED', { code: 'connection', message: expect.stringContaining('ECONNREFUSED') }, 3],
  ['SELF_SIGNED_CERT_IN_CHAIN', { code: 'connection', hint: expect.stringContaining('NODE_EXTRA_CA_CERTS') }, 1],
])('classifies %s', async (code, expected, attempts) => {
  let calls = 0
  const bedrock = createBedrockClient({
    region: 'us-east-1',
    credentials: 'none',
    retry: { attempts: 3, baseDelay: 0 },
    fetch: async () => {
      calls++
      const system = Object.assign(new Error('system error'), { code })
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('all failed'), { errors: [system] }) })
    },
  })
  await expect(bedrock.messages.create(params)).rejects.toMatchObject(expected)
  expect(calls).toBe(attempts)
})
