import { parseModelId } from '../core/model-id.ts'
import type { Identity, ModelRef } from '../core/types.ts'

/** Which of a model's quotas a call counts against. `bucket` is AWS's word for none of them; each is a quota of its own. */
export type QuotaBucket = 'on-demand' | 'cross-region' | 'global'

/** What a call counts against. */
export interface BudgetKey {
  readonly account: string
  readonly region: string
  readonly bucket: QuotaBucket
  /** The base model; where that is unknown, the ID or ARN that is called. */
  readonly model: string
}

/** Which quota of a model a call counts against, by the ID that goes on the wire. */
export function bucketOf({ id, geo }: Pick<ModelRef, 'id' | 'geo'>): QuotaBucket {
  if (geo === 'global') return 'global'
  // An application profile that does not tell what it was made of: most are made of a profile of a geography.
  const { kind } = parseModelId(id)
  return geo || kind === 'inference-profile' || kind === 'application-inference-profile' ? 'cross-region' : 'on-demand'
}

/**
 * The account behind an identity, as far as it tells; else the identity itself. Temporary keys and API keys come and go,
 * and those that do not name their account count as one.
 */
export function accountOf(identity: Identity | undefined): string {
  if (!identity || 'token' in identity) return 'default'
  const { accountId, accessKeyId, sessionToken } = identity
  return accountId ?? (sessionToken ? 'default' : `key-${fingerprint(accessKeyId)}`)
}

// FNV-1a. Access key IDs are no secrets, but they are nobody's business either.
function fingerprint(text: string): string {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return (value >>> 0).toString(16).padStart(8, '0')
}
