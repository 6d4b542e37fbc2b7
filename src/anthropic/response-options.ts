import { ConfigurationError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { createLogger } from '../core/internal/logger.ts'
import { systemClock } from '../core/internal/signal.ts'
import type { Clock, Logger } from '../core/types.ts'
import { toAnthropicError } from './errors.ts'
import type { EventStreamOptions } from './event-stream.ts'

/** Options for responses. */
export interface AnthropicResponseOptions {
  /**
   * Whether errors show account IDs, ARNs and hints. For your own use, not for a gateway's users.
   *
   * @default false
   */
  readonly exposeUpstreamErrors?: boolean | undefined
  /** The milliseconds of silence before a stream sends a `ping`; 0 or Infinity turns pings off. @default 15_000 */
  readonly pingInterval?: number | undefined
  /**
   * Receives every error in full: server and credential errors as `warn`, client errors as `debug`.
   *
   * @default silent; `OUTCROP_LOG=warn` writes to stderr
   */
  readonly logger?: Logger | undefined
  /** Time, for tests. @default the real time */
  readonly clock?: Clock | undefined
}

/**
 * Fills in the defaults of {@link AnthropicResponseOptions}.
 *
 * @param others - the names of further options, separated by spaces
 * @throws ConfigurationError for invalid options
 */
export function resolveResponseOptions(options: AnthropicResponseOptions, others = ''): EventStreamOptions {
  assertOptions(options, '', `exposeUpstreamErrors pingInterval logger clock ${others}`.trim())
  const { exposeUpstreamErrors = false, pingInterval = 15_000, logger: given, clock = systemClock } = options
  if (!(pingInterval >= 0)) throw new ConfigurationError('pingInterval must be 0 or more milliseconds')
  const logger = createLogger(given)
  return {
    // Timers longer than 2^31 - 1 ms fire at once.
    pingInterval: pingInterval > 2_147_483_647 ? 0 : pingInterval,
    clock,
    describe: (error) => {
      const shown = toAnthropicError(error, exposeUpstreamErrors)
      // Client errors concern only the client. Errors that it sees only in part concern the operator.
      const level = shown.status >= 500 || shown.status === 401 || shown.status === 403 ? 'warn' : 'debug'
      logger[level](`Answered ${shown.status} ${shown.type}`, error)
      return shown
    },
  }
}
