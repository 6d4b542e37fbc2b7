import { isBedrockError } from '../core/errors.ts'
import { isOfKind, onDemandThroughput } from '../core/internal/error-kinds.ts'
import type { Middleware } from '../core/types.ts'
import { parseModelId } from '../core/model-id.ts'
import type { CatalogModelResolver } from './resolver.ts'

/**
 * Repeats a call once through the model's inference profile if Bedrock answers that the base ID cannot be called
 * directly. Warns once for each model and Region.
 */
export function autoProfile(resolver: Pick<CatalogModelResolver, 'profileFor'>): Middleware {
  const warned = new Set<string>()
  // Each call has its own `fetch`, but all calls belong to one client.
  const scope = {}
  return async function autoProfile(request, next, context) {
    const { model, region, logger } = context
    try {
      return await next(request)
    } catch (error) {
      const needsProfile =
        isBedrockError(error, 'service') && error.status === 400 && isOfKind(error, onDemandThroughput)
      if (!needsProfile || !model.base || model.geo) throw error
      const id = await resolver.profileFor(model.base, { ...context, scope })
      if (!id || id === model.id) throw error
      const message = `${model.id} cannot be called by its base ID in ${region}; calling ${id} instead`
      if (!warned.has(message)) logger.warn(message)
      warned.add(message)
      return next({ ...request, model: { ...model, id, geo: parseModelId(id).geo } })
    }
  }
}
