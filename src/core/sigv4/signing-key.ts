import type { AwsCredentialIdentity } from '../types.ts'
import { deriveHmacKey, type HmacKey } from '#platform'

// A key is valid for one day, Region and service. The cache is limited, because a server may sign for many identities.
const cacheSize = 64
const cache = new Map<string, { readonly secret: string; readonly key: HmacKey }>()

/** Performs step 3 of the specification: derives the key for a day's requests to one service in one Region. */
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
  return 'then' in key ? key.then(keep) : keep(key)
}
