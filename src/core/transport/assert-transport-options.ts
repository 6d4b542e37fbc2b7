import { ConfigurationError } from '../errors.ts'
import { assertOptions, describeType } from '../internal/assert-options.ts'
import type { RetryOptions, Timeouts } from '../types.ts'
import { createRetryPolicy } from './retry.ts'

/** The options that clients, calls and `fetch` have in common. */
export interface TransportOptions {
  readonly retry?: RetryOptions | false | undefined
  readonly signal?: AbortSignal | undefined
  readonly timeout?: Timeouts | undefined
}

/** @throws ConfigurationError for invalid options. */
export function assertTransportOptions({ retry, signal, timeout }: TransportOptions): void {
  if (retry !== undefined && retry !== false) {
    assertOptions(retry, 'retry', 'attempts baseDelay maxDelay retryIf')
    createRetryPolicy(retry)
  }
  if (timeout !== undefined) {
    assertOptions(timeout, 'timeout', 'connect response idle total')
    for (const [phase, milliseconds] of Object.entries(timeout)) {
      if (milliseconds !== undefined && !(typeof milliseconds === 'number' && milliseconds >= 0))
        throw new ConfigurationError(`timeout.${phase} must be 0 or more milliseconds`)
    }
  }
  if (signal !== undefined && typeof signal?.addEventListener !== 'function')
    throw new ConfigurationError(`signal must be an AbortSignal, not ${describeType(signal)}`)
}
