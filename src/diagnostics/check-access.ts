import type { BedrockClient } from '../client.ts'
import { isBedrockError } from '../core/errors.ts'
import { readJson } from '../core/internal/service-error.ts'
import type { JsonObject, ModelRef } from '../core/types.ts'
import type { HintContext } from '../hints/table.ts'
import { failed, failedOrDenied, type Finding } from './finding.ts'

/** Checks whether Anthropic's use-case form was submitted, which each account does once. */
export async function checkUseCaseForm(client: BedrockClient, where: HintContext): Promise<Finding> {
  const check = 'use-case form'
  try {
    await readJson(await client.fetch('/use-case-for-model-access'))
    return { check, status: 'ok', message: 'filed' }
  } catch (error) {
    if (isBedrockError(error, 'service') && error.status === 404) {
      return {
        check,
        status: 'failure',
        message: "Anthropic's use-case form has not been submitted for this account",
        next: 'Bedrock console, Chat/Text playground: choose any Anthropic model and submit the form. It takes effect within 15 minutes.',
        cause: 'use-case form',
      }
    }
    return failedOrDenied(check, error, 'bedrock:GetUseCaseForModelAccess', where)
  }
}

/** Checks whether the account may call a model: authorization, agreement, Region. */
export async function checkAccess(
  client: BedrockClient,
  { base, region }: ModelRef,
  where: HintContext,
): Promise<Finding> {
  const check = 'access'
  try {
    const path = `/foundation-model-availability/${encodeURIComponent(base as string)}`
    const answer = await readJson(await client.fetch(path, { region }))
    const agreement = ((answer.agreementAvailability ?? {}) as JsonObject).status
    if (answer.authorizationStatus === 'NOT_AUTHORIZED')
      return {
        check,
        status: 'failure',
        message: 'the account is not authorized',
        next: "Contact AWS Support about the account's access to this model.",
      }
    if (answer.regionAvailability === 'NOT_AVAILABLE')
      return { check, status: 'note', message: `not offered in ${region} itself; an inference profile may reach it` }
    if (agreement === 'PENDING')
      return {
        check,
        status: 'warning',
        message: 'the Marketplace agreement is being created',
        next: 'Wait up to 15 minutes.',
      }
    if (agreement === 'NOT_AVAILABLE' || agreement === 'ERROR' || answer.entitlementAvailability === 'NOT_AVAILABLE') {
      return {
        check,
        status: 'failure',
        message: 'this model has no Marketplace agreement',
        next: 'Call the model once as a principal with aws-marketplace:Subscribe and aws-marketplace:ViewSubscriptions.',
      }
    }
    return { check, status: 'ok', message: 'the account has access' }
  } catch (error) {
    return failedOrDenied(check, error, 'bedrock:GetFoundationModelAvailability', where)
  }
}

/** Checks whether the model answers. Costs one token. */
export async function checkCall(client: BedrockClient, model: ModelRef, where: HintContext): Promise<Finding> {
  const check = 'call'
  try {
    const { metadata } = await client.messages.create(
      { model, max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] },
      { timeout: { total: 60_000 } },
    )
    // Another one may have answered in its place.
    const [left] = metadata.failover?.tried ?? []
    if (left) return { check, status: 'failure', message: `${left.message} (${metadata.model.id} answered)` }
    return { check, status: 'ok', message: `answered in ${metadata.latency} ms` }
  } catch (error) {
    return failed(check, error, where)
  }
}
