import type { JsonObject } from '../core/types.ts'
import { errorResponse, type FakeState, jsonResponse } from './respond.ts'
import type { FakeCall, FakeGuardrail } from './types.ts'

// A guardrail applies to a whole message or to its events: the blocked text replaces the model's.

/** Applies a call's guardrail to its message. */
export function guardMessage(state: FakeState, call: FakeCall, message: JsonObject): JsonObject {
  const guardrail = guardrailOf(state, call)
  if (!guardrail) return message
  const found = blockedWords(guardrail, [call.body.messages, message.content])
  if (found.length === 0)
    return { ...message, 'amazon-bedrock-guardrailAction': 'NONE', ...traceOf(call, guardrail, found) }
  return {
    ...message,
    content: [{ type: 'text', text: messageOf(guardrail) }],
    stop_reason: 'end_turn',
    'amazon-bedrock-guardrailAction': 'INTERVENED',
    ...traceOf(call, guardrail, found),
  }
}

/** Applies a call's guardrail to the events of its stream. */
export function guardEvents(state: FakeState, call: FakeCall, events: JsonObject[]): JsonObject[] {
  const guardrail = guardrailOf(state, call)
  if (!guardrail) return events
  const found = blockedWords(guardrail, [call.body.messages, events.map((event) => textOf(event)).join('')])
  const guarded = found.length > 0 ? blocked(guardrail, events) : events
  const place = { start: 0, middle: guarded.length >> 1, end: guarded.length - 1 }[guardrail.place ?? 'start']
  return guarded.map((event, i) => ({
    ...event,
    ...(found.length > 0
      ? i >= place && { 'amazon-bedrock-guardrailAction': 'INTERVENED' }
      : { 'amazon-bedrock-guardrailAction': 'NONE' }),
    ...(i === guarded.length - 1 && traceOf(call, guardrail, found)),
  }))
}

/** Answers ApplyGuardrail. */
export function applyGuardrail(state: FakeState, call: FakeCall, version: string | undefined): Response {
  const guardrail = findGuardrail(state, call.model, version)
  if (!guardrail) {
    return errorResponse(state, {
      status: 404,
      type: 'ResourceNotFoundException',
      message: 'The guardrail identifier or version provided in the request does not exist.',
    })
  }
  const found = blockedWords(guardrail, [call.body.content])
  return jsonResponse(state, {
    action: found.length > 0 ? 'GUARDRAIL_INTERVENED' : 'NONE',
    ...(found.length > 0 && { actionReason: 'Guardrail blocked.' }),
    outputs: found.length > 0 ? [{ text: messageOf(guardrail) }] : [],
    assessments: [assessment(found)],
    usage: { topicPolicyUnits: 0, contentPolicyUnits: 0, wordPolicyUnits: 1, sensitiveInformationPolicyUnits: 0 },
    guardrailCoverage: { textCharacters: { guarded: 1, total: 1 } },
  })
}

/** Says why Bedrock would reject the guardrail headers of a call. */
export function refuseGuardrail(state: FakeState, { headers, body }: FakeCall): string | undefined {
  const identifier = headers['x-amzn-bedrock-guardrailidentifier']
  const version = headers['x-amzn-bedrock-guardrailversion']
  if (!identifier)
    return body['amazon-bedrock-guardrailConfig']
      ? 'amazon-bedrock-guardrailConfig is set, but no guardrail identifier is.'
      : undefined
  if (!version) return 'A guardrail identifier was given without a guardrail version.'
  return findGuardrail(state, identifier, version)
    ? undefined
    : 'The guardrail identifier or version provided in the request does not exist.'
}

function guardrailOf(state: FakeState, { headers }: FakeCall): FakeGuardrail | undefined {
  return findGuardrail(state, headers['x-amzn-bedrock-guardrailidentifier'], headers['x-amzn-bedrock-guardrailversion'])
}

function findGuardrail({ options }: FakeState, identifier = '', version = ''): FakeGuardrail | undefined {
  const id = identifier.split('/').at(-1)
  return options.guardrails?.find((each) => each.identifier === id && each.versions.includes(version))
}

function blockedWords({ blockedWords }: FakeGuardrail, values: readonly unknown[]): string[] {
  const text = JSON.stringify(values).toLowerCase()
  return blockedWords.filter((word) => text.includes(word.toLowerCase()))
}

function blocked(guardrail: FakeGuardrail, events: JsonObject[]): JsonObject[] {
  const start = events.find(({ type }) => type === 'message_start')
  return [
    ...(start ? [start] : []),
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: messageOf(guardrail) } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 0 } },
    { type: 'message_stop' },
  ]
}

function textOf({ delta }: JsonObject): string {
  return typeof delta === 'object' && delta !== null && !Array.isArray(delta) && typeof delta.text === 'string'
    ? delta.text
    : ''
}

function traceOf(
  { headers }: FakeCall,
  { identifier, nesting = 'guardrail' }: FakeGuardrail,
  found: readonly string[],
): JsonObject {
  const trace = headers['x-amzn-bedrock-trace']
  if (trace !== 'ENABLED' && trace !== 'ENABLED_FULL') return {}
  return { 'amazon-bedrock-trace': { [nesting]: { input: { [identifier]: assessment(found) } } } }
}

function assessment(found: readonly string[]): JsonObject {
  return { wordPolicy: { customWords: found.map((match) => ({ action: 'BLOCKED', match })), managedWordLists: [] } }
}

function messageOf({ message = 'Blocked by the guardrail.' }: FakeGuardrail): string {
  return message
}
