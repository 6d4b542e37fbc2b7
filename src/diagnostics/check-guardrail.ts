import type { BedrockClient } from '../client.ts'
import { isBedrockError } from '../core/errors.ts'
import { isJsonObject } from '../core/internal/json.ts'
import { readJson } from '../core/internal/service-error.ts'
import type { ModelRef } from '../core/types.ts'
import type { HintContext } from '../hints/table.ts'
import { failedOrDenied, type Finding } from './finding.ts'

/**
 * Checks whether the guardrail exists, is ready, and crosses Regions if the models' profiles do.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-cross-region.html
 */
export async function checkGuardrail(
  client: BedrockClient,
  { identifier, version }: { readonly identifier: string; readonly version: string },
  models: readonly ModelRef[],
  where: HintContext,
): Promise<Finding> {
  const row = { check: 'guardrail', subject: identifier }
  const path = `/guardrails/${encodeURIComponent(identifier)}?guardrailVersion=${encodeURIComponent(version)}`
  try {
    const { status, crossRegionDetails } = await readJson(await client.fetch(path))
    if (status !== undefined && status !== 'READY')
      return { ...row, status: 'warning', message: `version ${version} is ${String(status).toLowerCase()}` }
    const crossing = models.find(({ geo }) => geo)
    if (crossing && !isJsonObject(crossRegionDetails)) {
      return {
        ...row,
        status: 'warning',
        message: `version ${version} is ready, but has no cross-Region inference, and ${crossing.id} is a cross-Region profile`,
        next: 'Bedrock console, Guardrails: edit it, enable cross-Region inference, and create a new version.',
      }
    }
    return {
      ...row,
      status: 'ok',
      message: `version ${version} is ready${crossing ? ', with cross-Region inference' : ''}`,
    }
  } catch (error) {
    if (isBedrockError(error, 'service') && error.status === 404) {
      return {
        ...row,
        status: 'failure',
        message: `it has no version ${version} in ${where.region}`,
        next: `List them: \`aws bedrock list-guardrails --guardrail-identifier ${identifier}\``,
      }
    }
    return { ...failedOrDenied(row.check, error, 'bedrock:GetGuardrail', where), subject: identifier }
  }
}
