import type { BedrockClient } from '../client.ts'
import { type BedrockError, isBedrockError } from '../core/errors.ts'
import { describeIdentitySource } from '../core/internal/identity-source.ts'
import { askForIdentity } from '../core/internal/identity.ts'
import { redact } from '../core/internal/redact.ts'
import { readJson } from '../core/internal/service-error.ts'
import { createEndpointResolver } from '../core/transport/endpoint.ts'
import type { CredentialProvider, EndpointOptions, Environment, Identity, JsonObject, ModelRef } from '../core/types.ts'
import { maskKeyId } from '../credentials/bedrock-api-key.ts'
import { hintFor } from '../hints/hint-for.ts'
import type { HintContext } from '../hints/table.ts'
import { catalogModel } from '../models/catalog.ts'
import { getCallerIdentity } from './caller-identity.ts'
import type { CheckResult, CheckStatus } from './report.ts'

/** What {@link runDoctor} looks at. */
export interface DoctorOptions {
  readonly client: BedrockClient
  readonly region: string
  /** Why this region: a variable, a profile, a flag. */
  readonly regionSource?: string | undefined
  /** The client's credentials. Left out for `'none'`. */
  readonly credentials?: CredentialProvider | undefined
  /** The client's endpoint. */
  readonly endpoint?: string | URL | EndpointOptions | undefined
  /** The client's variables, in which an endpoint may be. @default those of the process */
  readonly env?: Environment | undefined
  /** The names that are called: `default`, `small`, pins, overrides. @default ['default', 'small'] */
  readonly models?: readonly string[] | undefined
  readonly guardrail?: { readonly identifier: string; readonly version: string } | undefined
  /** Makes a real call of one token to each model, which costs a little. @default false */
  readonly invoke?: boolean | undefined
  /** The client's `fetch`. @default the global one */
  readonly fetch?: typeof fetch | undefined
  /** What was found of settings, to begin the report with. */
  readonly settings?: readonly CheckResult[] | undefined
  /** @default Date.now */
  readonly now?: (() => number) | undefined
}

/** A row, and what is behind it where it failed: rows of one cause are told once. */
interface Finding extends CheckResult {
  readonly cause?: string | undefined
}

/**
 * Walks a set-up in order, and stops nowhere: whatever fails is a row, and the next check runs all the same. What fails
 * for a reason that was told already is named in one note at the end. A missing permission for a check is a note and not
 * a failure.
 *
 * @example
 * ```ts
 * for await (const { status, check, message, next } of runDoctor({ client, region, credentials })) {
 *   console.log(status, check, message, next ?? '')
 * }
 * ```
 */
export async function* runDoctor(options: DoctorOptions): AsyncGenerator<CheckResult> {
  const told = new Set<string>()
  const untold: string[] = []
  for await (const { cause, ...result } of examine(options)) {
    if (cause !== undefined && told.has(cause)) {
      untold.push(result.subject ? `${result.check} ${result.subject}` : result.check)
      continue
    }
    if (cause !== undefined) told.add(cause)
    const { message, next, ...rest } = result
    yield { ...rest, message: redact(message), ...(next !== undefined && { next: redact(next) }) }
  }
  if (untold.length === 0) return
  yield { check: 'not known', status: 'note', message: `${untold.join(', ')}: what failed above comes first` }
}

async function* examine(options: DoctorOptions): AsyncGenerator<Finding> {
  const { client, region, regionSource, models = ['default', 'small'], guardrail, settings = [] } = options
  yield* settings
  yield {
    check: 'region',
    status: 'ok',
    message: regionSource ? `${region}, from ${regionSource}` : region,
  }
  yield* checkEndpoint(options)
  const where = { model: 'the model', region, source: 'the client’s options' }
  yield* checkIdentity(options, where)
  yield await checkProfiles(client, where)
  yield await checkUseCaseForm(client, where)
  for (const name of models) yield* checkModel(options, name, where)
  if (guardrail) yield await checkGuardrail(client, guardrail, where)
}

async function* checkEndpoint({
  endpoint,
  env,
  region,
  fetch = globalThis.fetch,
  now = Date.now,
}: DoctorOptions): AsyncGenerator<Finding> {
  const check = 'endpoint'
  let url: string
  try {
    url = createEndpointResolver(endpoint, env)('bedrock-runtime', region)
  } catch (error) {
    yield failed(check, error)
    return
  }
  const { host } = new URL(url)
  try {
    const response = await fetch(`${url}/ping`, { redirect: 'manual', signal: AbortSignal.timeout(10_000) })
    await response.body?.cancel()
    yield { check, status: 'ok', message: `${host} answers` }
    const date = Date.parse(response.headers.get('date') ?? '')
    if (Number.isNaN(date)) return
    const seconds = Math.round((date - now()) / 1000)
    const isOff = Math.abs(seconds) > 60
    yield {
      check: 'clock',
      status: isOff ? 'warning' : 'ok',
      message: isOff
        ? `the local clock is off by ${seconds} s; requests are corrected by it`
        : 'the local clock is right',
      next: isOff ? 'Synchronise the clock, for example with `timedatectl set-ntp true`.' : undefined,
    }
  } catch (error) {
    yield {
      check,
      status: 'failure',
      message: `${host} cannot be reached: ${causeOf(error)}`,
      cause: 'connection',
      next: /CERT|SELF_SIGNED|UNABLE_TO_/.test(causeOf(error))
        ? 'Give the proxy’s root certificate to Node: NODE_EXTRA_CA_CERTS=/path/to/root.pem'
        : `Check DNS, the proxy (docs/errors.md has a recipe) and whether ${region} has Bedrock.`,
    }
  }
}

async function* checkIdentity(
  { credentials, region, fetch, now = Date.now }: DoctorOptions,
  where: { source: string } & HintContext,
): AsyncGenerator<Finding> {
  const check = 'identity'
  if (!credentials) {
    yield { check, status: 'note', message: 'requests are sent unsigned: a gateway is to sign them' }
    return
  }
  let identity: Identity
  try {
    identity = await askForIdentity(credentials, { region, ...(fetch && { fetch }) })
  } catch (error) {
    yield { ...failed(check, error, where), cause: 'identity' }
    return
  }
  const source = identity.source ? ` from ${describeIdentitySource(identity.source)}` : ''
  if (identity.source) where.source = describeIdentitySource(identity.source)
  const left = identity.expiration ? identity.expiration.getTime() - now() : undefined
  const expiry = identity.expiration ? `, until ${identity.expiration.toISOString()}` : ''
  if (left !== undefined && left <= 0) {
    yield {
      check,
      status: 'failure',
      message: `the credentials${source} expired at ${identity.expiration?.toISOString()}`,
      next: 'Renew them: `aws sso login`, `aws login`, or whatever made them.',
      cause: 'identity',
    }
    return
  }
  if ('token' in identity) {
    yield { check, status: 'ok', message: `a Bedrock API key${source}${expiry}` }
    return
  }
  const key = maskKeyId(identity.accessKeyId)
  try {
    const { arn } = await getCallerIdentity(identity, region, { fetch, now: now() })
    const soon = left !== undefined && left < 600_000
    yield {
      check,
      status: soon ? 'warning' : 'ok',
      message: `${arn} with key ${key}${source}${expiry}`,
      next: soon ? 'The keys expire within ten minutes: renew them.' : undefined,
    }
  } catch (error) {
    if (isBedrockError(error, 'service') && error.status < 500)
      yield { ...failed(check, error, where, `AWS refuses key ${key}${source}: `), cause: 'identity' }
    else
      yield {
        check,
        status: 'note',
        message: `key ${key}${source}${expiry}; STS could not be asked: ${causeOf(error)}`,
      }
  }
}

async function checkProfiles(client: BedrockClient, where: HintContext): Promise<Finding> {
  const check = 'inference profiles'
  try {
    const { inferenceProfileSummaries = [] } = await readJson(await client.fetch('/inference-profiles?maxResults=1000'))
    const count = (inferenceProfileSummaries as unknown[]).length
    return {
      check,
      status: count > 0 ? 'ok' : 'warning',
      message: `${count} in ${where.region}`,
      next: count > 0 ? undefined : `${where.region} has no inference profiles: choose another region with AWS_REGION.`,
    }
  } catch (error) {
    return failedOrDenied(check, error, 'bedrock:ListInferenceProfiles', where)
  }
}

async function checkUseCaseForm(client: BedrockClient, where: HintContext): Promise<Finding> {
  const check = 'use-case form'
  try {
    await readJson(await client.fetch('/use-case-for-model-access'))
    return { check, status: 'ok', message: 'filed' }
  } catch (error) {
    if (isBedrockError(error, 'service') && error.status === 404) {
      return {
        check,
        status: 'failure',
        message: 'Anthropic’s use-case form has not been filed for this account',
        next: 'Bedrock console, Chat/Text playground, choose any Anthropic model, fill out the form; it counts within 15 minutes.',
        cause: 'use-case form',
      }
    }
    return failedOrDenied(check, error, 'bedrock:GetUseCaseForModelAccess', where)
  }
}

async function* checkModel(options: DoctorOptions, name: string, given: HintContext): AsyncGenerator<Finding> {
  const { client, invoke, now = Date.now } = options
  const check = 'model'
  let model: ModelRef
  try {
    model = await client.models.resolve(name)
  } catch (error) {
    yield { ...failed(check, error, given), subject: name }
    return
  }
  const where = { ...given, model: model.id, region: model.region ?? given.region }
  const row = catalogModel(model.base)
  const { state, endOfLife } = row?.lifecycle ?? {}
  const isGone = state === 'retired' || (endOfLife !== undefined && Date.parse(endOfLife) <= now())
  const lifecycle: [CheckStatus, string] = isGone
    ? ['failure', ', which is retired']
    : state === 'legacy'
      ? ['warning', `, which is Legacy${endOfLife ? ` and ends on ${endOfLife}` : ''}`]
      : ['ok', '']
  const caching = row?.promptCaching ? `; prompt caching from ${row.promptCaching.minimumTokens} tokens` : ''
  yield {
    check,
    subject: name,
    status: lifecycle[0],
    message: `${model.id} in ${model.region ?? options.region} (${model.source})${lifecycle[1]}${caching}`,
    next: lifecycle[0] === 'ok' ? undefined : 'Pin a newer model, for example with ANTHROPIC_DEFAULT_SONNET_MODEL.',
  }
  if (model.base) yield { ...(await checkAccess(client, model, where)), subject: name }
  if (invoke) yield { ...(await checkCall(client, model, where)), subject: name }
}

async function checkAccess(client: BedrockClient, { base, region }: ModelRef, where: HintContext): Promise<Finding> {
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
        next: 'Ask AWS Support about the account’s access to this model.',
      }
    if (answer.regionAvailability === 'NOT_AVAILABLE')
      return { check, status: 'note', message: `not offered in ${region} itself; an inference profile may reach it` }
    if (agreement === 'PENDING')
      return {
        check,
        status: 'warning',
        message: 'the Marketplace agreement is being made',
        next: 'Wait for up to 15 minutes.',
      }
    if (agreement === 'NOT_AVAILABLE' || agreement === 'ERROR' || answer.entitlementAvailability === 'NOT_AVAILABLE') {
      return {
        check,
        status: 'failure',
        message: 'there is no Marketplace agreement for this model',
        next: 'Call the model once as a principal with aws-marketplace:Subscribe and aws-marketplace:ViewSubscriptions.',
      }
    }
    return { check, status: 'ok', message: 'the account has access' }
  } catch (error) {
    return failedOrDenied(check, error, 'bedrock:GetFoundationModelAvailability', where)
  }
}

async function checkCall(client: BedrockClient, model: ModelRef, where: HintContext): Promise<Finding> {
  const check = 'call'
  try {
    const { metadata } = await client.messages.create(
      { model, max_tokens: 1, messages: [{ role: 'user', content: 'Hi' }] },
      { timeout: { total: 60_000 } },
    )
    return { check, status: 'ok', message: `answered in ${metadata.latency} ms` }
  } catch (error) {
    return failed(check, error, where)
  }
}

async function checkGuardrail(
  client: BedrockClient,
  { identifier, version }: { readonly identifier: string; readonly version: string },
  where: HintContext,
): Promise<Finding> {
  const check = 'guardrail'
  const path = `/guardrails/${encodeURIComponent(identifier)}?guardrailVersion=${encodeURIComponent(version)}`
  try {
    const { status } = await readJson(await client.fetch(path))
    const isReady = status === undefined || status === 'READY'
    return {
      check,
      subject: identifier,
      status: isReady ? 'ok' : 'warning',
      message: `version ${version} is ${isReady ? 'ready' : String(status).toLowerCase()}`,
    }
  } catch (error) {
    if (isBedrockError(error, 'service') && error.status === 404) {
      return {
        check,
        subject: identifier,
        status: 'failure',
        message: `there is no version ${version} of it in ${where.region}`,
        next: `List them: \`aws bedrock list-guardrails --guardrail-identifier ${identifier}\``,
      }
    }
    return { ...failedOrDenied(check, error, 'bedrock:GetGuardrail', where), subject: identifier }
  }
}

// The doctor's own checks need permissions that calling a model does not.
function failedOrDenied(check: string, error: unknown, permission: string, where: HintContext): Finding {
  if (!isBedrockError(error, 'service') || error.status !== 403 || !/not authorized to perform/.test(error.message))
    return failed(check, error, where)
  return { check, status: 'note', message: `not looked at: that needs ${permission}` }
}

function failed(check: string, error: unknown, where?: HintContext, prefix = ''): Finding {
  const { message, hint } = error as BedrockError
  const command = isBedrockError(error, 'credentials') ? error.command : undefined
  const known = isBedrockError(error) && where ? hintFor(error, where) : undefined
  const next = command
    ? `Run \`${command}\`.`
    : (hint ?? known ?? 'Try again; docs/troubleshooting.md tells what messages mean.')
  return { check, status: 'failure', message: prefix + message, next, cause: causeOfFailure(error) }
}

/** Names what failed: rows that share it say the same thing. */
function causeOfFailure(error: unknown): string {
  if (isBedrockError(error, 'credentials')) return 'identity'
  if (isBedrockError(error, 'connection') || isBedrockError(error, 'timeout')) return 'connection'
  if (!isBedrockError(error, 'service')) return (error as Error).message
  if (/use case details have not been submitted/.test(error.message)) return 'use-case form'
  // AWS refuses an identity before it looks at the request.
  const isOfIdentity =
    /^(ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|IncompleteSignature|MissingAuthentication)/.test(
      error.type,
    ) || /API Key is valid|Bearer Token has expired/.test(error.message)
  return isOfIdentity ? 'identity' : `${error.type}: ${error.message}`
}

// `fetch` says "fetch failed"; what happened is in its cause.
function causeOf(error: unknown): string {
  const { cause, message, code } = error as { cause?: unknown; message?: string; code?: string }
  return cause ? causeOf(cause) : (code ?? message ?? String(error))
}
