import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import * as conventions from '@opentelemetry/semantic-conventions'
import * as incubating from '@opentelemetry/semantic-conventions/incubating'
import { describe, expect, test } from 'vitest'
import { attribute, editions, metric, ownAttribute, providerName } from '../../src/telemetry/names.ts'
import { clientKind, errorStatus } from '../../src/telemetry/opentelemetry.ts'

const published = new Set<unknown>([...Object.values(conventions), ...Object.values(incubating)])

// The conventions for generative AI have left the package's repository, and it knows nothing of what they have changed since.
const newer = [
  'gen_ai.request.reasoning.level',
  'gen_ai.token.modality',
  'gen_ai.usage.cache_write.input_tokens',
  'gen_ai.client.inference.duration',
  'gen_ai.client.inference.time_to_first_chunk',
  'gen_ai.client.inference.time_per_output_chunk',
  'gen_ai.client.inference.usage.input_tokens',
  'gen_ai.client.inference.usage.output_tokens',
  'gen_ai.client.inference.usage.cache_read.input_tokens',
  'gen_ai.client.inference.usage.cache_write.input_tokens',
  'gen_ai.client.inference.usage.reasoning.output_tokens',
  'gen_ai.client.inference.operation.input_tokens',
  'gen_ai.client.inference.operation.output_tokens',
]

const names = (record: object): string[] =>
  Object.values(record).filter((name): name is string => typeof name === 'string')

describe('the names of the conventions', () => {
  test('are in the published package, or listed as newer', () => {
    const ours = [
      ...names(attribute),
      ...names(editions.latest),
      ...names(metric.latest),
      ...names(metric),
      providerName,
    ].filter((name) => !name.startsWith('outcrop.'))
    expect(ours.length).toBeGreaterThan(40)
    expect(ours.filter((name) => !published.has(name)).sort()).toEqual([...newer].sort())
  })

  test('of the edition 1.41 are all in the published package', () => {
    const ours = [...names(editions['1.41']), ...names(metric['1.41'])]
    expect(ours.length).toBeGreaterThan(4)
    expect(ours.filter((name) => !published.has(name))).toEqual([])
  })

  test("are not used for this library's own attributes", () => {
    const own = [...names(ownAttribute), metric.retries, metric.interventions]
    expect(own.filter((name) => !name.startsWith('outcrop.'))).toEqual([])
  })

  test('and the numbers equal those of the API', () => {
    expect(clientKind).toBe(SpanKind.CLIENT)
    expect(errorStatus).toBe(SpanStatusCode.ERROR)
  })
})
