import { createBedrockClient, type GuardrailOutcome, type JsonObject } from 'outcrop'
import { guardrails } from 'outcrop/guardrails'
import { describe, expect, test } from 'vitest'

const action = 'amazon-bedrock-guardrailAction'
const trace = 'amazon-bedrock-trace'

/** Returns the outcome that is read from the body of an answer. */
async function outcomeOf(body: JsonObject): Promise<GuardrailOutcome | undefined> {
  const bedrock = createBedrockClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example' },
    fetch: async () => Response.json({ type: 'message', content: [], usage: {}, ...body }),
    middleware: [guardrails({ identifier: 'gr1', version: '1' })],
  })
  const { metadata } = await bedrock.messages.create({
    model: 'us.anthropic.claude-sonnet-4-6',
    max_tokens: 10,
    messages: [{ role: 'user', content: 'Hi' }],
  })
  return metadata.guardrail
}

const word = { wordPolicy: { customWords: [{ match: 'granite' }] } }
const topic = { topicPolicy: { topics: [] } }

describe('the assessments in a trace', () => {
  test('are found under any nesting, beside anything else, in their order', async () => {
    const given = {
      guardrail: {
        modelOutput: ['Mostly of granite'],
        actionReason: null,
        count: 3,
        isDone: true,
        inputAssessment: { gr1: word, gr2: null },
        outputAssessments: { gr1: [topic, 'text', word] },
      },
    }
    const outcome = await outcomeOf({ [action]: 'INTERVENED', [trace]: given })
    expect(outcome).toEqual({ action: 'INTERVENED', trace: given, assessments: [word, topic, word] })
  })

  test('may be eleven levels deep, and no deeper', async () => {
    for (const [levels, count] of [
      [11, 1],
      [12, 0],
    ] as const) {
      let nested: JsonObject = word
      for (let i = 0; i < levels; i++) nested = { inner: nested }
      expect((await outcomeOf({ [action]: 'INTERVENED', [trace]: nested }))?.assessments).toHaveLength(count)
    }
  })

  test('are none of a field that an assessment inherits', async () => {
    expect((await outcomeOf({ [trace]: { guardrail: {} } }))?.assessments).toEqual([])
  })
})

describe('the action', () => {
  test.each<[JsonObject, GuardrailOutcome['action'] | undefined]>([
    [{ [action]: 'NONE' }, 'NONE'],
    [{ [action]: 'INTERVENED' }, 'INTERVENED'],
    [{ [action]: 'ANONYMIZED' }, 'INTERVENED'],
    [{ [action]: 7 }, 'INTERVENED'],
    [{ [trace]: { guardrail: {} } }, 'NONE'],
    [{ [trace]: { guardrail: {} }, message: { [action]: 'INTERVENED' } }, 'INTERVENED'],
    [{ [action]: 'INTERVENED', message: { [action]: 'NONE' } }, 'INTERVENED'],
    [{ content: [{ type: 'text', text: 'Hi', [action]: 'INTERVENED' }] }, undefined],
    [{ message: { deeper: { [action]: 'INTERVENED' } } }, undefined],
    [{}, undefined],
  ])('of %j is %s', async (body, expected) => {
    expect((await outcomeOf(body))?.action).toBe(expected)
  })
})
