import type { Environment } from '../types.ts'

export type { Environment }

/**
 * The value of an environment variable, trimmed. An empty one counts as unset: that is what CI systems pass for inputs
 * that nobody gave.
 */
export function env(name: string, from?: Environment): string | undefined {
  const value: unknown = from ? from[name] : ambient(name)
  // A Worker's `env` has bindings beside its variables.
  return (typeof value === 'string' && value.trim()) || undefined
}

/** Whether a variable holds `true` or `1`, as the AWS SDKs read their switches. */
export function envFlag(name: string, from?: Environment): boolean {
  return /^(1|true)$/i.test(env(name, from) ?? '')
}

// The only place that touches `process`. Reading it throws on Deno without permission, and on some edge runtimes.
function ambient(name: string): string | undefined {
  try {
    return (globalThis as { process?: { env?: Environment } }).process?.env?.[name]
  } catch {
    return undefined
  }
}
