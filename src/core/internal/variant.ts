import type { Middleware } from '../types.ts'

// In the global registry, so that the ESM and CommonJS copies of this package recognize it.
const mark: unique symbol = Symbol.for('outcrop.variant') as never

/** Marks a middleware with its configuration, so that a cache in front of it keeps separate answers for each. */
export function markVariant(middleware: Middleware, variant: string): Middleware {
  return Object.assign(middleware, { [mark]: variant })
}

/** Returns the configuration that a middleware was marked with. */
export function variantOf(middleware: Middleware & { readonly [mark]?: string }): string | undefined {
  return middleware[mark]
}
