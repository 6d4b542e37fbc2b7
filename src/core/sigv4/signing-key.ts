import type { AwsCredentialIdentity } from '../types.ts'
import { hmacSha256 } from '#platform'

// A key is good for one day, region and service. Bounded, as a multi-tenant server signs for many identities.
const cacheSize = 64
const cache = new Map<string, { readonly secret: string; readonly key: Uint8Array }>()

/** Step 3 of the specification: the key that a day's requests to one service in one region are signed with. */
export function deriveSigningKey({ accessKeyId, secretAccessKey }: AwsCredentialIdentity, scope: string): Uint8Array {
  const name = `${accessKeyId}/${scope}`
  const known = cache.get(name)
  if (known?.secret === secretAccessKey) return known.key

  let key: string | Uint8Array = `AWS4${secretAccessKey}`
  for (const part of scope.split('/')) key = hmacSha256(key, part)
  if (cache.size >= cacheSize) cache.delete(cache.keys().next().value as string)
  cache.set(name, { secret: secretAccessKey, key: key as Uint8Array })
  return key as Uint8Array
}
