import type { BedrockRequest, Middleware } from '../types.ts'

type Condition = (request: BedrockRequest) => boolean

const mark: unique symbol = Symbol('outcrop.condition')

/** Marks a middleware with the condition under which it does anything. Calls skip it otherwise, which saves time. */
export function markCondition(middleware: Middleware, condition: Condition): Middleware {
  return Object.assign(middleware, { [mark]: condition })
}

/** Tests whether a middleware does anything for a request, as far as is known. */
export function appliesTo(middleware: Middleware & { readonly [mark]?: Condition }, request: BedrockRequest): boolean {
  return middleware[mark]?.(request) ?? true
}
