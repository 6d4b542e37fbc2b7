import { assertOptions } from '../core/internal/assert-options.ts'
import { unsignedFetch } from '../core/internal/http.ts'
import { redact } from '../core/internal/redact.ts'
import type { ModelRef } from '../core/types.ts'
import { checkUseCaseForm } from './check-access.ts'
import { checkConnection } from './check-connection.ts'
import { checkGuardrail } from './check-guardrail.ts'
import { checkIdentity } from './check-identity.ts'
import { checkModel, checkPins } from './check-model.ts'
import { checkProfiles } from './check-profiles.ts'
import { checkQuotas } from './check-quotas.ts'
import type { DoctorOptions } from './doctor-options.ts'
import type { Finding } from './finding.ts'
import type { CheckResult } from './report.ts'

const optionNames =
  'client region regionSource credentials endpoint env models guardrail maxTokens invoke fetch pinned settings now'

/**
 * Checks a setup step by step, and always runs to the end: a failure becomes a row, and the next check still runs.
 * Failures with a cause that was already reported are listed in one note at the end. A missing permission for a check
 * is a note, not a failure.
 *
 * @example
 * ```ts
 * for await (const { status, check, message, next } of runDoctor({ client, region, credentials })) {
 *   console.log(status, check, message, next ?? '')
 * }
 * ```
 */
export async function* runDoctor(given: DoctorOptions): AsyncGenerator<CheckResult> {
  assertOptions(given, '', optionNames)
  const options = { ...given, fetch: given.fetch ?? unsignedFetch(given.client.fetch) }
  const reported = new Set<string>()
  const omitted: string[] = []
  for await (const { cause, ...result } of examine(options)) {
    if (cause !== undefined && reported.has(cause)) {
      omitted.push(result.subject ? `${result.check} ${result.subject}` : result.check)
      continue
    }
    if (cause !== undefined) reported.add(cause)
    const { message, next, ...rest } = result
    yield { ...rest, message: redact(message), ...(next !== undefined && { next: redact(next) }) }
  }
  if (omitted.length === 0) return
  yield { check: 'not known', status: 'note', message: `${omitted.join(', ')}: fix the failures above first` }
}

async function* examine(options: DoctorOptions): AsyncGenerator<Finding> {
  const { client, region, regionSource, models = ['default', 'small'], guardrail, settings = [] } = options
  yield* settings
  if (region === undefined) {
    yield* examineWithoutRegion(options)
    return
  }
  yield { check: 'region', status: 'ok', message: regionSource ? `${region}, from ${regionSource}` : region }
  yield* checkConnection(options, region)
  const where = { model: 'the model', region, source: "the client's options" }
  yield* checkIdentity(options, where)
  const { finding, list } = await checkProfiles(client, where)
  yield finding
  yield await checkUseCaseForm(client, where)
  const found: ModelRef[] = []
  for (const name of models) {
    const model = yield* checkModel(options, name, list, where)
    if (model) found.push(model)
  }
  yield* checkQuotas(options, found, region)
  const pins = await checkPins(options)
  if (pins) yield pins
  if (guardrail) yield await checkGuardrail(client, guardrail, found, where)
}

async function* examineWithoutRegion(options: DoctorOptions): AsyncGenerator<Finding> {
  yield {
    check: 'region',
    status: 'failure',
    message: 'no AWS Region is set',
    next: 'Set AWS_REGION or AWS_DEFAULT_REGION, or a Region in the AWS profile; on the command line, pass --region.',
  }
  // STS knows an identity in every Region.
  yield* checkIdentity(options, { model: 'the model', region: 'us-east-1', source: "the client's options" })
  yield {
    check: 'not known',
    status: 'note',
    message: 'endpoint, clock, inference profiles, use-case form, models and guardrail: they depend on the Region',
  }
}
