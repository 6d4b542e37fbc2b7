import { enrich, isBedrockError } from '../errors.ts'
import type { HttpRequest, HttpResponse } from '../internal/http.ts'
import { describeOutcome } from '../internal/outcome.ts'
import { secretsOf } from '../internal/redact.ts'
import { CallScope, sleep } from '../internal/signal.ts'
import type { Clock, Identity } from '../types.ts'
import { attempt, resolveTimeouts, startDeadline } from './attempt.ts'
import { createAuthorizer } from './authorize.ts'
import { readBody } from './body-reader.ts'
import type { IncomingResponse, OutgoingCall, TransportState } from './call.ts'
import { createRetryPolicy, retryDelay } from './retry.ts'
import { isConnectionReset } from '#platform'

/**
 * Sends a call until it succeeds or cannot.
 *
 * `decode` returns a result or throws the error for the response, which decides whether the call is retried. In
 * addition there are three replays, once each: with new credentials, with AWS's time, and over a new connection if the
 * old one turned out to be dead.
 */
export async function send<T>(
  state: TransportState,
  call: OutgoingCall,
  decode: (incoming: IncomingResponse) => Promise<T>,
): Promise<T> {
  const { clock, network, logger, random, retryBudget } = state
  const policy = createRetryPolicy(call.retry)
  const timeouts = resolveTimeouts(call.timeout, call.isStream)
  const scope = new CallScope(call.signal)
  const total = startDeadline('total', timeouts.total, clock, scope)
  const authorizer = createAuthorizer(state, call, scope)
  const done = finisher(clock, total, scope)
  const tellRetry = (error: Error, delay = 0): void => {
    logger.debug(`Attempt ${attempts} failed (${error.message}); retrying in ${delay} ms${describeOutcome(error)}`)
    call.onRetry?.({ attempt: attempts, error, delay })
  }

  let attempts = 0
  let failures = 0
  let hasReconnected = false
  let spent: number | undefined
  try {
    for (;;) {
      let response: HttpResponse | undefined
      try {
        const request = await authorizer.authorize()
        const secrets = secretsIn(authorizer.identity(), call.request.headers)
        const context = { transport: network.transport, clock, scope, timeouts, secrets }
        attempts++
        response = await attempt(request, context)
        if (response.ok) authorizer.keepTime()
        const body = readBody(response, context)
        const result = await decode({ response, body, secrets, attempts, done })
        retryBudget?.give(spent)
        return result
      } catch (error) {
        scope.endAttempt(error)
        if (!(error instanceof Error)) throw error
        if (await authorizer.recover(error, response)) {
          tellRetry(error)
          continue
        }
        // An error from before anything was sent has no `retryable`, and would occur again.
        if (!('retryable' in error)) throw error
        if (!response && !hasReconnected && policy.attempts > 1 && isConnectionReset(error)) {
          hasReconnected = true
          tellRetry(error)
          continue
        }
        const delay = retryDelay(error, ++failures, policy, random)
        if (delay === undefined) throw withAttempts(error, attempts)
        spent = retryBudget?.take(error)
        if (retryBudget && spent === undefined) {
          logger.warn('The retry budget is used up, so this call is not retried')
          throw withAttempts(error, attempts)
        }
        tellRetry(error, Math.round(delay))
        await sleep(delay, clock, scope)
      }
    }
  } catch (error) {
    done()
    throw error
  }
}

// The two that follow are not closures of `send`: a stream may stay open for long, and must not keep its request.

function secretsIn(identity: Identity | undefined, headers: HttpRequest['headers']): () => readonly string[] {
  return () => secretsOf(identity, headers)
}

function finisher(clock: Clock, total: unknown, scope: CallScope): () => void {
  return () => {
    clock.clearTimeout(total)
    scope.dispose()
  }
}

function withAttempts(error: Error, attempts: number): Error {
  return isBedrockError(error) && 'retryable' in error ? enrich(error, { attempts }) : error
}
