import { ConfigurationError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { createLogger } from '../core/internal/logger.ts'
import { systemClock } from '../core/internal/signal.ts'
import type { Clock, Logger } from '../core/types.ts'
import { toAnthropicError } from './errors.ts'
import type { EventStreamOptions } from './event-stream.ts'

/** How answers are given. */
export interface AnthropicResponseOptions {
  /**
   * Whether errors show account IDs, ARNs and what to do about them. For your own eyes, not for a gateway's users.
   *
   * @default false
   */
  readonly exposeUpstreamErrors?: boolean | undefined
  /** After how many milliseconds of silence a stream sends a `ping`; 0 or Infinity for never. @default 15_000 */
  readonly pingInterval?: number | undefined
  /** Hears every error in full: those of this side and of credentials as `warn`, a client's as `debug`. @default silent; `OUTCROP_LOG=warn` writes to stderr */
  readonly logger?: Logger | undefined
  /** Time, for tests. @default the real time */
  readonly clock?: Clock | undefined
}

/**
 * {@link AnthropicResponseOptions} with every blank filled in.
 *
 * @param others - the names of further options, separated by spaces
 * @throws ConfigurationError for what can never work
 */
export function resolveResponseOptions(options: AnthropicResponseOptions, others = ''): EventStreamOptions {
  assertOptions(options, '', `exposeUpstreamErrors pingInterval logger clock ${others}`.trim())
  const { exposeUpstreamErrors = false, pingInterval = 15_000, logger: given, clock = systemClock } = options
  if (!(pingInterval >= 0)) throw new ConfigurationError('pingInterval must be 0 or more milliseconds')
  const logger = createLogger(given)
  return {
    // Beyond 2^31 - 1 ms, timers fire at once.
    pingInterval: pingInterval > 2_147_483_647 ? 0 : pingInterval,
    clock,
    describe: (error) => {
      const shown = toAnthropicError(error, exposeUpstreamErrors)
      // A mistake of the client is its own business; what it is not shown in full is the operator's.
      const level = shown.status >= 500 || shown.status === 401 || shown.status === 403 ? 'warn' : 'debug'
      logger[level](`Answered ${shown.status} ${shown.type}`, error)
      return shown
    },
  }
}
