import type { BedrockRequest, Middleware, MiddlewareContext, Next } from './types.ts'

/**
 * Joins middleware into one function; the first is outermost.
 *
 * Each layer gets a context of its own: another model in a layer's request means another context for those inside it.
 */
export function compose(
  middleware: readonly Middleware[],
  contextOf: (request: BedrockRequest, inner: readonly Middleware[]) => Promise<MiddlewareContext>,
  send: (request: BedrockRequest, context: MiddlewareContext) => ReturnType<Next>,
): Next {
  const dispatch = (index: number): Next => {
    return async (request) => {
      const context = await contextOf(request, middleware.slice(index + 1))
      // Once resolved, a name stays resolved: a middleware outside and one inside must not mean two models by it.
      const resolved = request.model === context.model ? request : { ...request, model: context.model }
      const layer = middleware[index]
      return layer ? layer(resolved, dispatch(index + 1), context) : send(resolved, context)
    }
  }
  return dispatch(0)
}
