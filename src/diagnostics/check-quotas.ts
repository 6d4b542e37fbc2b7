import { type BedrockError, isBedrockError } from '../core/errors.ts'
import type { ModelRef } from '../core/types.ts'
import { type AccountQuotas, bucketOf, burndownOf, readQuotas } from '../limits/index.ts'
import { longestAnswerOf } from '../models/catalog.ts'
import type { DoctorOptions } from './doctor-options.ts'
import type { Finding } from './finding.ts'

const check = 'quotas'

/**
 * Checks the account's own quotas, which may be far below AWS's defaults, and 0 on a new account.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html
 */
export async function* checkQuotas(
  { client, endpoint, env, maxTokens }: DoctorOptions,
  models: readonly ModelRef[],
  region: string,
): AsyncGenerator<Finding> {
  if (models.length === 0 || endpoint !== undefined) return
  const known = new Map<string, AccountQuotas>()
  const seen = new Set<string>()
  for (const model of models) {
    const where = model.region ?? region
    const bucket = bucketOf(model)
    const key = `${where}/${bucket}/${model.base}`
    if (model.base === undefined || seen.has(key)) continue
    seen.add(key)
    let account = known.get(where)
    if (!account) {
      try {
        account = await readQuotas(client, { region: where, env })
      } catch (error) {
        // Calling a model does not need this permission.
        yield { check, status: 'note', message: `not checked: ${reasonOf(error)}` }
        return
      }
      known.set(where, account)
    }
    const quota = account.quotas.find((each) => each.model === model.base && each.bucket === bucket)
    if (quota?.tokensPerMinute === undefined) continue
    yield { check, subject: model.id, ...rate(quota.tokensPerMinute, model, maxTokens) }
  }
}

function rate(
  perMinute: number,
  { base }: ModelRef,
  maxTokens: number | null | undefined,
): Pick<Finding, 'status' | 'message' | 'next'> {
  if (perMinute === 0) {
    return {
      status: 'failure',
      message: "the account's quota is 0 tokens per minute",
      next: 'Request an increase in the Service Quotas console, or in a Support case if it cannot be adjusted there.',
    }
  }
  const { rate: burndown, isAssumed } = burndownOf(base)
  const longest = longestAnswerOf(base)
  const count = (tokens: number): string => tokens.toLocaleString('en-US')
  const message = `${count(perMinute)} tokens per minute; an output token counts as ${burndown}${isAssumed ? ' (assumed)' : ''}, so at most ${count(Math.floor(perMinute / burndown))} of output`
  if (maxTokens === null) {
    return {
      status: 'warning',
      message: `${message}. Calls set no max_tokens, so each reserves ${count(longest)} until it ends`,
      next: 'Set max_tokens to what answers need: it limits how many calls can run concurrently.',
    }
  }
  if (maxTokens !== undefined && maxTokens * 10 > perMinute) {
    return {
      status: 'warning',
      message: `${message}. With max_tokens at ${count(maxTokens)}, at most ${count(Math.floor(perMinute / maxTokens))} calls can run concurrently`,
      next: 'Lower max_tokens to what answers need, or request an increase in the Service Quotas console.',
    }
  }
  if (perMinute < longest * burndown) {
    return {
      status: 'warning',
      message: `${message}: less than one answer of ${count(longest)} tokens takes`,
      next: 'Lower max_tokens, call a model with a lower burndown, or request an increase in the Service Quotas console.',
    }
  }
  return { status: 'ok', message }
}

function reasonOf(error: unknown): string {
  if (isBedrockError(error, 'service') && /^AccessDenied/.test(error.type))
    return 'needs servicequotas:ListServiceQuotas'
  return (error as BedrockError).message
}
