import type { Clock, Logger } from '../core/types.ts'
import type { TokenPrices } from '../usage/cost.ts'
import type { GatewayBackend } from './backend.ts'
import type { CallerBudget } from './caller-budget.ts'
import type { Readiness } from './readiness.ts'
import type { GatewaySnapshot } from './snapshot.ts'

/** The context of the routes. */
export interface GatewayContext {
  readonly bedrock: GatewayBackend
  readonly prices: Readonly<Record<string, TokenPrices>>
  readonly estimateTokens: boolean
  readonly exposeUpstreamErrors: boolean
  readonly maxBodySize: number
  readonly pingInterval: number
  readonly clock: Clock
  readonly logger: Logger
  readonly budget: CallerBudget
  readonly readiness: () => Promise<Readiness>
  readonly isDraining: () => boolean
  readonly renderMetrics: () => string
  readonly snapshot: () => GatewaySnapshot
}
