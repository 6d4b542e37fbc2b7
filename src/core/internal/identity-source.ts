import type { IdentitySource } from '../types.ts'

/** Describes a source in words, such as `profile dev` or `environment AWS_ACCESS_KEY_ID`. */
export function describeIdentitySource({ name, profile, detail }: IdentitySource): string {
  return [name, profile ?? detail].filter(Boolean).join(' ')
}
