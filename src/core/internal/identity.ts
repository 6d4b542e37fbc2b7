import type { Identity } from '../types.ts'

/** Whether there is something to sign with: a provider in plain JavaScript may give anything. */
export function isWholeIdentity(identity: Identity): boolean {
  return Boolean('token' in identity ? identity.token : identity.accessKeyId && identity.secretAccessKey)
}

/** Whether two identities are the same to AWS. */
export function isSameIdentity(a: Identity, b: Identity): boolean {
  if ('token' in a || 'token' in b) return 'token' in a && 'token' in b && a.token === b.token
  return a.accessKeyId === b.accessKeyId && a.secretAccessKey === b.secretAccessKey && a.sessionToken === b.sessionToken
}
