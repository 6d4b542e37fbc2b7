import { ModelResolutionError } from '../core/errors.ts'
import type { ModelRef } from '../core/types.ts'
import { createAllowList } from '../models/allow-list.ts'
import { anthropicIdOf } from '../models/names.ts'
import type { GatewayBackend } from './backend.ts'
import type { RequestContext } from './request-context.ts'
import type { GatewayContext } from './gateway-context.ts'
import { pricesOf } from './price-list.ts'

/** Resolves a caller's model. @throws ModelResolutionError if there is none, or the caller may not call it */
export async function resolveModel(
  { models }: GatewayBackend,
  { caller }: Pick<RequestContext, 'caller'>,
  name: string,
): Promise<ModelRef> {
  const model = await models.resolve(name)
  const isAllowed = createAllowList(caller?.models)
  if (isAllowed({ model: model.base, id: model.id })) return model
  throw new ModelResolutionError(`${modelName(model)} is not among the models of this key`, {
    hint: `Models of this key: ${caller?.models?.join(', ') || 'none'}.`,
    candidates: caller?.models,
  })
}

/** Resolves the model of a call, and records it for the log and the metrics. @throws ModelResolutionError */
export async function settleModel(
  { bedrock, prices }: Pick<GatewayContext, 'bedrock' | 'prices'>,
  context: RequestContext,
  name: string,
): Promise<ModelRef> {
  const model = await resolveModel(bedrock, context, name)
  context.model = modelName(model)
  context.prices = pricesOf(prices, model)
  return model
}

/** Returns a model's name in metrics and logs: Anthropic's ID, if there is one. */
function modelName({ base, id }: ModelRef): string {
  return base ? anthropicIdOf(base) : id
}
