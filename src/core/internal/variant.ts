import type { Middleware } from '../types.ts'

// From the global registry: the ESM and the CommonJS copy of this package must know each other's.
const mark: unique symbol = Symbol.for('outcrop.variant') as never

/** Names the way in which a middleware was set to work, so that a cache in front of it keeps the answers of each apart. */
export function markVariant(middleware: Middleware, variant: string): Middleware {
  return Object.assign(middleware, { [mark]: variant })
}

/** The way in which a middleware was set to work, where it has several. */
export function variantOf(middleware: Middleware & { readonly [mark]?: string }): string | undefined {
  return middleware[mark]
}
