import { ConfigurationError, isBedrockError, ModelResolutionError } from '../core/errors.ts'
import { parseModelId } from '../core/model-id.ts'
import type { MiddlewareContext, ModelRef } from '../core/types.ts'
import { anthropicIdOf } from '../models/names.ts'
import { regionsOf } from '../models/regions.ts'
import { reachOf, staysWithin } from '../models/residency.ts'
import type { Target, Tier } from './targets.ts'

/** A target resolved for one call: a model in a Region. */
export interface Destination {
  readonly target: Target
  readonly model: ModelRef
  /** Identifies it. */
  readonly key: string
  /** Identifies the daily quota, which those of one account and Region share. */
  readonly quota: string
}

/**
 * Resolves the targets for a call. Repeated destinations are left out.
 *
 * @param onUnusable - called for a target whose model is unknown or not allowed, which is then left out. @default rejects
 *   with a ConfigurationError or ModelResolutionError
 */
export async function findDestinations(
  tiers: readonly Tier[],
  context: MiddlewareContext,
  onUnusable: ((error: Error, target: Target) => void) | undefined,
): Promise<readonly (readonly Destination[])[]> {
  const found = await Promise.all(
    tiers.map((tier) =>
      Promise.all(
        tier.map((target) =>
          findDestination(target, context).catch((error) => {
            const reason = explained(error, target)
            if (!onUnusable || !reason) throw reason ?? error
            onUnusable(reason, target)
            return undefined
          }),
        ),
      ),
    ),
  )
  const seen = new Set<string>()
  return found.map((tier) =>
    tier.filter((destination): destination is Destination => {
      if (!destination || seen.has(placeOf(destination))) return false
      seen.add(placeOf(destination))
      return true
    }),
  )
}

// Identifies clients by the names of their targets.
const placeOf = ({ target, model }: Destination): string =>
  `${target.client ? target.name : ''} ${model.region} ${model.id}`

async function findDestination(target: Target, context: MiddlewareContext): Promise<Destination> {
  const found = target.isOwn ? context.model : await modelAt(target, context)
  const region = found.region ?? target.region ?? (target.client ? undefined : context.region)
  const model = { ...found, region }
  if (!target.isOwn) assertConsent(target, model, context)
  const { name, client, account } = target
  return {
    target,
    model: target.isOwn ? context.model : model,
    key: `${name} ${region} ${model.id}`,
    quota: `${account ?? (client ? name : '')} ${region}`,
  }
}

/** Returns the model of a target: its own, else the call's, by its ID there. */
async function modelAt(target: Target, context: MiddlewareContext): Promise<ModelRef> {
  const resolve = (name: string): Promise<ModelRef> =>
    target.client ? target.client.models.resolve(name) : context.resolve(name, target.region)
  if (target.model !== undefined) return resolve(target.model)
  const { id, base } = context.model
  if (!id.startsWith('arn:')) {
    const same = await resolve(id)
    if (isCallable(same, context)) return same
  }
  const found = base && (await resolve(base.startsWith('anthropic.') ? anthropicIdOf(base) : base))
  if (found && (target.region ?? found.region) === found.region) return found
  throw new ConfigurationError(
    found ? `${id} is ${found.id} there, which is called in ${found.region}` : `the model of ${id} is unknown`,
    { hint: 'Name the `model` of the target.' },
  )
}

/** Tests whether the ID of the call can be called in the Region of `model` too. */
function isCallable({ region = '' }: ModelRef, context: MiddlewareContext): boolean {
  const { geo } = context.model
  return region === context.region || geo === 'global' || (geo ? (regionsOf(geo)?.includes(region) ?? false) : false)
}

/** @throws ConfigurationError if a target may run where the call itself may not, without consent. */
function assertConsent({ consent }: Target, model: ModelRef, { model: own, region }: MiddlewareContext): void {
  const isSame = model.id === own.id && model.region === region
  if (consent === 'anywhere' || (!consent && (own.geo === 'global' || isSame))) return
  const allowed = consent ?? runsIn(own, region) ?? []
  if (staysWithin(allowed, runsIn(model, model.region ?? ''))) return
  throw new ConfigurationError(
    consent
      ? `${model.id}, called from ${model.region}, may run outside of its residency`
      : `${model.id}, called from ${model.region}, may run where ${own.id}, called from ${region}, does not`,
    { hint: "If that may be, say so with the target's `residency`: geographies, Regions, or 'anywhere'." },
  )
}

function runsIn({ id, geo }: ModelRef, region: string): readonly string[] | undefined {
  const parsed = parseModelId(id)
  const regions = reachOf({ kind: parsed.kind, geo: geo ?? parsed.geo }, region)
  return regions && [region, ...regions]
}

/** Returns the error with the target's name; `undefined` if it is not about the target's configuration. */
function explained(error: unknown, { name }: Target): Error | undefined {
  if (isBedrockError(error, 'configuration'))
    return new ConfigurationError(`The failover target ${name}: ${error.message}`, { cause: error, hint: error.hint })
  if (!isBedrockError(error, 'model_resolution')) return undefined
  const { candidates, hint } = error
  return new ModelResolutionError(`The failover target ${name}: ${error.message}`, { cause: error, hint, candidates })
}
