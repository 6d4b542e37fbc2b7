import { describe, expect, test } from 'vitest'
import { catalog } from 'outcrop/models'
import { createFakeBedrock } from 'outcrop/testing'
import { compatibilityTable } from '../../src/compatibility/table.ts'

// The client's table and the fake's lists were written down apart, from the same pages: where they differ, one is wrong.

const version = 'bedrock-2023-05-31'
const message = { max_tokens: 5000, messages: [{ role: 'user', content: 'Hi' }] }
const prefill = [...message.messages, { role: 'assistant', content: 'Well' }]
const tool = { name: 't', input_schema: { type: 'object' } }

const features: Readonly<Record<string, object>> = {
  budgetThinking: { thinking: { type: 'enabled', budget_tokens: 2000 } },
  adaptiveThinking: { thinking: { type: 'adaptive' } },
  disabledThinking: { thinking: { type: 'disabled' } },
  effort: { output_config: { effort: 'low' } },
  structuredOutputs: { output_config: { format: { type: 'json_schema', schema: {} } } },
  sampling: { temperature: 0.5 },
  bothSampling: { temperature: 0.5, top_p: 0.5 },
  prefill: { messages: prefill },
  topLevelCaching: { cache_control: { type: 'ephemeral' } },
  version2026: { anthropic_version: '2026-10-21' },
}

const token = 'api-key-of-an-example'

async function takes(base: string, body: object, operation = 'invoke'): Promise<boolean> {
  const row = catalog.find((each) => each.base === base)
  const [[geo, [region]]] = Object.entries(row?.profiles ?? {}) as unknown as [[string, [string]]]
  const fake = createFakeBedrock({ region, identities: [{ token }] })
  const id = operation === 'invoke' ? `${geo}.${base}` : base
  const response = await fake.fetch(`https://bedrock-runtime.${region}.amazonaws.com/model/${id}/${operation}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  })
  if (response.status === 200) return true
  expect(response.status).toBe(400)
  return false
}

const documented = catalog.filter(({ family, version, lifecycle }) => {
  const row = compatibilityTable[`${family}-${version}`]
  return row && row.source === undefined && lifecycle.state !== 'retired'
})

describe.each(documented.map(({ base, family, version }) => [base, `${family}-${version}`]))(
  'the schema of %s',
  (base, key) => {
    const known = compatibilityTable[key] ?? {}

    test.each(Object.entries(features))('accepts or refuses %s as documented', async (name, fields) => {
      const told = known[name as keyof typeof known]
      const taken = await takes(base, { anthropic_version: version, ...message, ...fields })
      // The client leaves out what passes; what is behind a beta is refused without.
      if (name === 'bothSampling' && known.sampling === 'no') expect(taken).toBe(false)
      else expect(taken).toBe(told !== 'no' && told !== 'beta')
      if (told === 'beta')
        expect(
          await takes(base, {
            anthropic_version: version,
            ...message,
            ...fields,
            anthropic_beta: ['effort-2025-11-24'],
          }),
        ).toBe(true)
    })

    test('checks strict tools', async () => {
      const body = { anthropic_version: version, ...message, tools: [{ ...tool, strict: true }] }
      expect(await takes(base, body)).toBe(known.structuredOutputs !== 'no')
    })

    test('checks CountTokens', async () => {
      const body = {
        input: { invokeModel: { body: btoa(JSON.stringify({ anthropic_version: version, ...message })) } },
      }
      expect(await takes(base, body, 'count-tokens')).toBe(known.countTokens !== 'no')
    })
  },
)

test("refuses a beta that the model does not have in Bedrock's words, which do not name it", async () => {
  const fake = createFakeBedrock({ identities: [{ token }] })
  const response = await fake.fetch(
    'https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-opus-5-5/invoke',
    {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({
        anthropic_version: version,
        ...message,
        anthropic_beta: ['files-api-2025-04-14', 'x-2026'],
      }),
    },
  )
  expect(await response.json()).toEqual({ message: 'invalid beta flag' })
})
