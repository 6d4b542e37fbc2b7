import { isBedrockError } from '../core/errors.ts'
import { iamPermission, isOfKind } from '../core/internal/error-kinds.ts'
import { readJson } from '../core/internal/service-error.ts'
import { singleFlight } from '../core/internal/single-flight.ts'
import type { Clock, Logger } from '../core/types.ts'
import type { GatewayBackend } from './backend.ts'

/** The result of a readiness check. */
export interface Readiness {
  readonly isReady: boolean
  /** When it was checked, in milliseconds since the epoch. */
  readonly checked: number
  /** Why Bedrock cannot be called. For the operator, because it may name the account. */
  readonly reason?: string | undefined
}

// How long a result is cached, in milliseconds, because probes come every few seconds from several places.
const keptWhenReady = 30_000
const keptWhenNot = 5_000

/** A check of the identity, the Region and one model. */
export interface ReadinessCheck {
  /** The latest result; `undefined` before the first check. */
  readonly last: Readiness | undefined
  /** Returns the latest result while it is fresh, else checks again. Never rejects. */
  ask(): Promise<Readiness>
}

/** Creates a {@link ReadinessCheck}. */
export function createReadiness(
  bedrock: GatewayBackend,
  { model, clock, logger }: { readonly model: string; readonly clock: Clock; readonly logger: Logger },
): ReadinessCheck {
  const share = singleFlight<Readiness>(clock)
  let last: Readiness | undefined
  return {
    get last() {
      return last
    },
    async ask() {
      if (last && clock.now() - last.checked < (last.isReady ? keptWhenReady : keptWhenNot)) return last
      return share(async () => {
        const obstacle = await findObstacle(bedrock, model)
        if (obstacle) logger.warn('The gateway is not ready', obstacle)
        last = { isReady: !obstacle, checked: clock.now(), reason: obstacle?.message }
        return last
      })
    },
  }
}

/** Returns the reason why a model cannot be called. The check is free of charge. */
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
    // A missing permission for this check shows that the identity was recognized, which is enough.
    if (isBedrockError(error, 'service') && isOfKind(error, iamPermission)) return undefined
    return error as Error
  }
}
