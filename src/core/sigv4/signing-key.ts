import type { AwsCredentialIdentity } from '../types.ts'
import { deriveHmacKey, type HmacKey } from '#platform'

// A key is good for one day, region and service. Bounded, as a multi-tenant server signs for many identities.
const cacheSize = 64
const cache = new Map<string, { readonly secret: string; readonly key: HmacKey }>()

/** Step 3 of the specification: the key that a day's requests to one service in one region are signed with. */
export function deriveSigningKey(
  { accessKeyId, secretAccessKey: secret }: AwsCredentialIdentity,
  scope: string,
): HmacKey | Promise<HmacKey> {
  const name = `${accessKeyId}/${scope}`
  const known = cache.get(name)
  if (known?.secret === secret) return known.key

  const keep = (key: HmacKey): HmacKey => {
    if (cache.size >= cacheSize) cache.delete(cache.keys().next().value as string)
    cache.set(name, { secret, key })
    return key
  }
  const key = deriveHmacKey(`AWS4${secret}`, scope.split('/'))
  return key instanceof Promise ? key.then(keep) : keep(key)
}
