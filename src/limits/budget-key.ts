import { parseModelId } from '../core/model-id.ts'
import type { Identity, ModelRef } from '../core/types.ts'

/** The quota of a model that a call counts against. Each bucket is a separate quota; `bucket` is not an AWS term. */
export type QuotaBucket = 'on-demand' | 'cross-region' | 'global'

/** Identifies the budget of a call. */
export interface BudgetKey {
  readonly account: string
  readonly region: string
  readonly bucket: QuotaBucket
  /** The base model; if it is unknown, the ID or ARN that is called. */
  readonly model: string
}

/** Returns the quota of a model that a call counts against, from the ID to send. */
export function bucketOf({ id, geo }: Pick<ModelRef, 'id' | 'geo'>): QuotaBucket {
  if (geo === 'global') return 'global'
  // An application inference profile that does not reveal its source counts as cross-Region, because most are.
  const { kind } = parseModelId(id)
  return geo || kind === 'inference-profile' || kind === 'application-inference-profile' ? 'cross-region' : 'on-demand'
}

/**
 * Returns the account behind an identity, if it is known, else the identity itself. Temporary keys and API keys change,
 * so those without an account all count as one.
 */
export function accountOf(identity: Identity | undefined): string {
  if (!identity || 'token' in identity) return 'default'
  const { accountId, accessKeyId, sessionToken } = identity
  return accountId ?? (sessionToken ? 'default' : `key-${fingerprint(accessKeyId)}`)
}

// FNV-1a. Access key IDs are not secret, but need not be shown either.
function fingerprint(text: string): string {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return (value >>> 0).toString(16).padStart(8, '0')
}
