import { isBedrockError } from '../core/errors.ts'
import { iamPermission, isOfKind } from '../core/internal/error-kinds.ts'
import { readJson } from '../core/internal/service-error.ts'
import { singleFlight } from '../core/internal/single-flight.ts'
import type { Clock, Logger } from '../core/types.ts'
import type { GatewayBackend } from './backend.ts'

/** Whether Bedrock can be called. */
export interface Readiness {
  readonly isReady: boolean
  /** When it was found out, in milliseconds since the epoch. */
  readonly checked: number
  /** Why not. For the operator: it may name the account. */
  readonly reason?: string | undefined
}

// How long an answer counts, in milliseconds: probes come every few seconds, from several places.
const keptWhenReady = 30_000
const keptWhenNot = 5_000

/** Makes a check of identity, region and one model, whose answer is kept for a while. */
export function createReadiness(
  bedrock: GatewayBackend,
  { model, clock, logger }: { readonly model: string; readonly clock: Clock; readonly logger: Logger },
): () => Promise<Readiness> {
  const share = singleFlight<Readiness>(clock)
  let last: Readiness | undefined
  return async () => {
    if (last && clock.now() - last.checked < (last.isReady ? keptWhenReady : keptWhenNot)) return last
    return share(async () => {
      const reason = await findObstacle(bedrock, model)
      if (reason !== undefined) logger.warn('The gateway is not ready', reason)
      last = { isReady: reason === undefined, checked: clock.now(), ...(reason && { reason: reason.message }) }
      return last
    })
  }
}

/** What keeps a model from being called; it costs nothing to find out. */
async function findObstacle(bedrock: GatewayBackend, name: string): Promise<Error | undefined> {
  try {
    const { base, region } = await bedrock.models.resolve(name)
    const path = base
      ? `/foundation-model-availability/${encodeURIComponent(base)}`
      : '/inference-profiles?maxResults=1'
    const answer = await readJson(await bedrock.fetch(path, { region, timeout: { total: 10_000 } }))
    return answer.authorizationStatus === 'NOT_AUTHORIZED'
      ? new Error(`The account is not authorized to call ${name}`)
      : undefined
  } catch (error) {
    // Who is told that a policy does not allow this one question has been recognised, and that will do.
    if (isBedrockError(error, 'service') && isOfKind(error, iamPermission)) return undefined
    return error as Error
  }
}
