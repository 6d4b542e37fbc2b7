import { parseModelId } from '../core/model-id.ts'
import type { JsonObject } from '../core/types.ts'
import { baseOf } from './models.ts'
import { errorResponse, type FakeState, jsonResponse, type LedgerEntry } from './respond.ts'
import type { ArrivedRequest, FakeCall, FakeQuota } from './types.ts'
import { parseBody, textOf } from './untrusted.ts'
import type { Refusal, Verdict } from './verify-signature.ts'

// AWS counts a quota like this, according to its page: input, cache writes and max_tokens when a call arrives; input,
// cache writes and the output times the model's burndown rate when it ends.
// https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html (read 2026-10)

const minute = 60_000

/** An admitted call. */
export interface Admission {
  /** Counts the call's usage; `share` is the part of its output that was produced, 0 to 1. */
  settle(share: number): void
}

/** Admits a call, or rejects it as Bedrock does. */
export function admit(
  state: FakeState,
  call: FakeCall,
  { input_tokens, output_tokens, cache_creation_input_tokens }: JsonObject,
): Admission | { readonly refusal: Refusal } {
  const base = baseOf(state, call.model ?? '') ?? call.model ?? ''
  const quota = state.options.quotas?.find(
    (each) => each.model === base && (each.bucket ?? 'cross-region') === bucketOf(call.model ?? ''),
  )
  const now = state.now()
  const input = Number(input_tokens ?? 0) + Number(cache_creation_input_tokens ?? 0)
  const reserved = input + Number(call.body.max_tokens ?? 0)
  const own = quota ? ledgerOf(state, `${call.region}/${bucketOf(call.model ?? '')}/${base}`, now, minute) : []
  const day = state.options.tokensPerDay === undefined ? [] : ledgerOf(state, `${call.region}/day`, now, 1440 * minute)
  if (quota?.tokensPerMinute === 0)
    return { refusal: { status: 400, type: 'ValidationException', message: 'Operation not allowed' } }
  if (quota?.requestsPerMinute !== undefined && own.length >= quota.requestsPerMinute)
    return throttled('Too many requests, please wait before trying again.')
  if (quota?.tokensPerMinute !== undefined && sum(own) + reserved > quota.tokensPerMinute)
    return throttled('Too many tokens, please wait before trying again.')
  if (state.options.tokensPerDay !== undefined && sum(day) + reserved > state.options.tokensPerDay)
    return throttled('Too many tokens per day, please wait before trying again.')
  const entry: LedgerEntry = { at: now, tokens: reserved, isOpen: true }
  own.push(entry)
  day.push(entry)
  return {
    settle(share) {
      if (!entry.isOpen) return
      entry.isOpen = false
      entry.tokens = input + Number(output_tokens ?? 0) * share * rateOf(base)
    },
  }
}

const throttled = (message: string): { readonly refusal: Refusal } => ({
  refusal: { status: 429, type: 'ThrottlingException', message },
})

const sum = (entries: readonly LedgerEntry[]): number => entries.reduce((total, { tokens }) => total + tokens, 0)

// The calls that were admitted within the window, or are still open.
function ledgerOf({ ledger }: FakeState, key: string, now: number, window: number): LedgerEntry[] {
  const entries = (ledger.get(key) ?? []).filter(({ at, isOpen }) => isOpen || at > now - window)
  ledger.set(key, entries)
  return entries
}

function bucketOf(id: string): NonNullable<FakeQuota['bucket']> {
  const { kind, geo } = parseModelId(id)
  if (geo === 'global') return 'global'
  return kind === 'foundation-model' ? 'on-demand' : 'cross-region'
}

function rateOf(base: string): number {
  const { provider, family, version = '0' } = parseModelId(base)
  if (provider !== 'anthropic') return 1
  if (version === '4.8') return 15
  if (Number(version) < 4.8) return 5
  // The page names Sonnet 5, Opus 5, Opus 5.5 and Fable 5.1; the others of their generation are assumed to be the same.
  return family ? 10 : 1
}

/** Answers ListServiceQuotas of Service Quotas for Bedrock, in pages of 20. */
export function answerServiceQuotas(state: FakeState, { headers, body }: ArrivedRequest, verdict: Verdict): Response {
  if ('refusal' in verdict) return quotaError(state, verdict.refusal)
  const { ServiceCode, NextToken } = parseBody(new TextDecoder().decode(body)) ?? {}
  if (state.options.models?.denied?.includes('servicequotas:ListServiceQuotas')) {
    return quotaError(state, {
      status: 400,
      type: 'AccessDeniedException',
      message:
        'User: arn:aws:iam::123456789012:user/me is not authorized to perform: servicequotas:ListServiceQuotas because no identity-based policy allows the servicequotas:ListServiceQuotas action',
    })
  }
  if (headers['x-amz-target'] !== 'ServiceQuotasV20190624.ListServiceQuotas' || ServiceCode !== 'bedrock')
    return quotaError(state, {
      status: 400,
      type: 'NoSuchResourceException',
      message: 'The specified resource does not exist',
    })
  const all = listed(state)
  const from = Number(textOf(NextToken)) || 0
  const next = from + 20
  return jsonResponse(state, {
    Quotas: all.slice(from, next),
    ...(next < all.length && { NextToken: String(next) }),
  })
}

function quotaError(state: FakeState, refusal: Refusal): Response {
  return errorResponse(state, { ...refusal, status: 400 }, { __type: refusal.type })
}

// Names and codes from users' listings, in 2026-10.
const scopes = {
  'on-demand': 'On-demand',
  'cross-region': 'Cross-region',
  global: 'Global cross-region',
} as const
const codes: Readonly<Record<string, string>> = {
  'cross-region opus-4-5': 'L-7007E9C9',
  'cross-region sonnet-4-5': 'L-F4DDD3EB',
  'cross-region haiku-4-5': 'L-58BE175A',
  'cross-region opus-5': 'L-99296DCD',
  'cross-region opus-5-5': 'L-A4430697',
  'global opus-5-5': 'L-A103A344',
}

function listed({ options }: FakeState): JsonObject[] {
  const rows = (options.quotas ?? []).flatMap(({ model, bucket = 'cross-region', ...quota }, i): JsonObject[] => {
    const { family = '', version = '' } = parseModelId(model)
    const name = `Anthropic Claude ${family.slice(0, 1).toUpperCase()}${family.slice(1)} ${version}`
    const code = codes[`${bucket} ${family}-${version.replace('.', '-')}`] ?? `L-0000${String(1000 + i)}`
    const row = (unit: string, value: number, QuotaCode: string): JsonObject => ({
      ServiceCode: 'bedrock',
      ServiceName: 'Amazon Bedrock',
      QuotaCode,
      QuotaName: `${scopes[bucket]} model inference ${unit} per minute for ${name}`,
      Value: value,
      Unit: 'None',
      Adjustable: true,
      GlobalQuota: false,
    })
    return [
      ...(quota.tokensPerMinute === undefined ? [] : [row('tokens', quota.tokensPerMinute, code)]),
      ...(quota.requestsPerMinute === undefined ? [] : [row('requests', quota.requestsPerMinute, `L-0001${1000 + i}`)]),
    ]
  })
  const { tokensPerDay } = options
  if (tokensPerDay === undefined) return rows
  const day = { ServiceCode: 'bedrock', QuotaCode: 'L-E3F10727', QuotaName: 'Cross-Model Max Tokens Per Day' }
  return [...rows, { ...day, Value: tokensPerDay, Unit: 'None', Adjustable: false, GlobalQuota: false }]
}
