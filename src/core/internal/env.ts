import type { Environment } from '../types.ts'

export type { Environment }

/**
 * Returns the trimmed value of an environment variable. An empty one counts as unset, because CI systems pass empty
 * strings for missing inputs.
 */
export function env(name: string, from?: Environment): string | undefined {
  const value: unknown = from ? from[name] : ambient(name)
  // A Worker's `env` contains bindings besides variables.
  return (typeof value === 'string' && value.trim()) || undefined
}

/** Tests whether a variable is `true` or `1`, as the AWS SDKs read switches. */
export function envFlag(name: string, from?: Environment): boolean {
  return /^(1|true)$/i.test(env(name, from) ?? '')
}

// The only access to `process`, which throws on Deno without permission and on some edge runtimes.
function ambient(name: string): string | undefined {
  try {
    return (globalThis as { process?: { env?: Environment } }).process?.env?.[name]
  } catch {
    return undefined
  }
}
