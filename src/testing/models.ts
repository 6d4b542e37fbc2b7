import { catalog } from '../models/catalog.ts'
import { destinationsOf } from '../models/regions.ts'
import { parseModelId } from '../core/model-id.ts'
import type { JsonObject } from '../core/types.ts'
import { faults } from './faults.ts'
import type { FakeState } from './respond.ts'
import type { FakeCall } from './types.ts'
import { ownValue } from './untrusted.ts'
import type { Refusal } from './verify-signature.ts'

export const account = '123456789012'

/** Returns the base model behind an ID or ARN in the account. */
export function baseOf({ options }: FakeState, id: string): string | undefined {
  return ownValue(options.models?.applicationProfiles, id) ?? parseModelId(id).base
}

/** Returns the profiles in the form of ListInferenceProfiles. */
export function profilesIn({ options }: FakeState, region: string): JsonObject[] {
  const { systemProfiles, applicationProfiles = {} } = options.models ?? {}
  const ids =
    systemProfiles ??
    catalog.flatMap(({ base, profiles, lifecycle }) =>
      lifecycle.state === 'retired'
        ? []
        : Object.keys(profiles).flatMap((geo) => (profiles[geo]?.includes(region) ? [`${geo}.${base}`] : [])),
    )
  const system = ids.map((id) => {
    const { geo = '', base = '' } = parseModelId(id)
    const regions = geo === 'global' ? [region, ''] : (destinationsOf(geo, region) ?? [region])
    return summary(id, `arn:aws:bedrock:${region}:${account}:inference-profile/${id}`, 'SYSTEM_DEFINED', base, regions)
  })
  const applications = Object.entries(applicationProfiles)
    .filter(([arn]) => parseModelId(arn).region === region)
    .map(([arn, base]) => summary(arn.split('/').at(-1) ?? arn, arn, 'APPLICATION', base, [region]))
  return [...system, ...applications]
}

function summary(id: string, arn: string, type: string, base: string, regions: readonly string[]): JsonObject {
  return {
    inferenceProfileId: id,
    inferenceProfileName: id,
    inferenceProfileArn: arn,
    models: regions.map((region) => ({ modelArn: `arn:aws:bedrock:${region}::foundation-model/${base}` })),
    status: 'ACTIVE',
    type,
    createdAt: '2026-01-01T00:00:00Z',
    updatedAt: '2026-01-01T00:00:00Z',
  }
}

// https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html
const modelIdPattern = /^[\w.:/-]{1,2048}$/

/** Says why Bedrock would reject a model in this Region. Only Claude's IDs are known well enough to check. */
export function refuseModel(state: FakeState, call: FakeCall): Refusal | undefined {
  return refuseModelId(state, call) ?? refuseWithoutForm(state, call)
}

function refuseWithoutForm(state: FakeState, { model = '' }: FakeCall): Refusal | undefined {
  const isFiled = state.options.models?.useCaseForm ?? true
  if (isFiled || !baseOf(state, model)?.startsWith('anthropic.')) return undefined
  return faults['use-case-form'] as Refusal
}

function refuseModelId(state: FakeState, { model = '', region }: FakeCall): Refusal | undefined {
  const invalid = (message: string): Refusal => ({ status: 400, type: 'ValidationException', message })
  if (!modelIdPattern.test(model))
    return invalid(
      `1 validation error detected: Value '${model.slice(0, 100)}' at 'modelId' failed to satisfy constraint: Member must satisfy regular expression pattern: ${modelIdPattern.source}`,
    )
  const { kind, base, geo, provider, region: arnRegion = region } = parseModelId(model)
  if (arnRegion !== region) return invalid('The provided model identifier is invalid.')
  if (kind === 'name') return invalid('The provided model identifier is invalid.')
  if (kind === 'application-inference-profile') {
    return baseOf(state, model)
      ? undefined
      : { status: 404, type: 'ResourceNotFoundException', message: 'The requested inference profile was not found.' }
  }
  if (provider !== 'anthropic' || !base) return undefined
  const row = catalog.find((each) => each.base === base)
  if (!row)
    return state.options.models?.strict === false ? undefined : invalid('The provided model identifier is invalid.')
  if (row.lifecycle.state === 'retired') {
    return {
      status: 404,
      type: 'ResourceNotFoundException',
      message:
        'This model version has reached the end of its life. Please refer to the AWS documentation for more details.',
    }
  }
  if (geo) {
    const known =
      state.options.models?.systemProfiles?.includes(`${geo}.${base}`) ?? ownValue(row.profiles, geo)?.includes(region)
    return known ? undefined : invalid('The provided model identifier is invalid.')
  }
  if (row.onDemand?.includes(region)) return undefined
  return invalid(
    `Invocation of model ID ${base} with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.`,
  )
}
