import type { JsonObject } from '../core/types.ts'
import { catalog } from '../models/catalog.ts'
import { account, profilesIn } from './models.ts'
import { errorResponse, type FakeState, jsonResponse } from './respond.ts'
import type { FakeCall, FakeGuardrail } from './types.ts'
import { ownValue } from './untrusted.ts'

/** Answers control-plane requests; `undefined` for those that it does not serve. */
export function answerControlPlane(state: FakeState, call: FakeCall): Response | undefined {
  const { operation, region, model: id = '', query } = call
  const { models = {}, guardrails = [] } = state.options
  if (models.denied?.includes(`bedrock:${operation}`)) {
    return errorResponse(state, {
      status: 403,
      type: 'AccessDeniedException',
      message: `User: arn:aws:iam::${account}:user/me is not authorized to perform: bedrock:${operation} because no identity-based policy allows the bedrock:${operation} action`,
    })
  }
  switch (operation) {
    case 'ListInferenceProfiles': {
      const all = profilesIn(state, region).filter(({ type }) => !query.type || type === query.type)
      return page(state, 'inferenceProfileSummaries', all, query)
    }
    case 'GetInferenceProfile': {
      const profile = profilesIn(state, region).find(
        ({ inferenceProfileId, inferenceProfileArn }) => inferenceProfileId === id || inferenceProfileArn === id,
      )
      return profile ? jsonResponse(state, profile) : notFound(state)
    }
    case 'ListFoundationModels':
      return listFoundationModels(state, region, query)
    case 'GetFoundationModel': {
      const row = catalog.find(({ base }) => base === id || id.endsWith(`/${base}`))
      return row ? jsonResponse(state, { modelDetails: foundationModel(row, region) }) : notFound(state)
    }
    case 'GetFoundationModelAvailability':
      return jsonResponse(state, {
        modelId: id,
        agreementAvailability: { status: 'AVAILABLE' },
        authorizationStatus: 'AUTHORIZED',
        entitlementAvailability: 'AVAILABLE',
        regionAvailability: 'AVAILABLE',
        ...ownValue(models.availability, id),
      })
    case 'GetUseCaseForModelAccess':
      if (models.useCaseForm === false) return notFound(state)
      return jsonResponse(state, { formData: btoa('{"companyName":"Example"}') })
    case 'ListGuardrails': {
      const { guardrailIdentifier: wanted } = query
      // Lists every version of one guardrail, or the drafts of all.
      const found =
        wanted === undefined
          ? guardrails.map((guardrail) => guardrailSummary(guardrail, 'DRAFT', region))
          : guardrails
              .filter((guardrail) => isGuardrail(guardrail, wanted))
              .flatMap((guardrail) =>
                ['DRAFT', ...guardrail.versions.filter((version) => version !== 'DRAFT')].map((version) =>
                  guardrailSummary(guardrail, version, region),
                ),
              )
      return wanted !== undefined && found.length === 0 ? notFound(state) : page(state, 'guardrails', found, query)
    }
    case 'GetGuardrail': {
      const guardrail = guardrails.find((each) => isGuardrail(each, id))
      const { guardrailVersion: version = 'DRAFT' } = query
      if (!guardrail || (version !== 'DRAFT' && !guardrail.versions.includes(version))) return notFound(state)
      return jsonResponse(state, guardrailDetails(guardrail, version, region))
    }
    default:
      return undefined
  }
}

function page(
  state: FakeState,
  member: string,
  all: readonly JsonObject[],
  { maxResults = '100', nextToken = '0' }: FakeCall['query'],
): Response {
  const [size, from] = [Number(maxResults), Number(nextToken)]
  if (!Number.isInteger(size) || size < 1 || size > 1000)
    return invalid(state, 'maxResults', maxResults, 'Member must have value between 1 and 1000')
  if (!Number.isInteger(from) || from < 0) return invalid(state, 'nextToken', nextToken, 'Member must be a token')
  const next = from + size < all.length ? { nextToken: String(from + size) } : {}
  return jsonResponse(state, { [member]: all.slice(from, from + size), ...next })
}

// The allowed values of each filter: the members of the API's enumerations.
const filters: Readonly<Record<string, readonly string[]>> = {
  byCustomizationType: ['FINE_TUNING', 'CONTINUED_PRE_TRAINING', 'DISTILLATION'],
  byOutputModality: ['TEXT', 'IMAGE', 'EMBEDDING'],
  byInferenceType: ['ON_DEMAND', 'PROVISIONED'],
}

function listFoundationModels(state: FakeState, region: string, query: FakeCall['query']): Response {
  for (const [name, values] of Object.entries(filters)) {
    const value = query[name]
    if (value !== undefined && !values.includes(value))
      return invalid(state, name, value, `Member must satisfy enum value set: [${values.join(', ')}]`)
  }
  const has = (list: unknown, filter: string): boolean =>
    query[filter] === undefined || (Array.isArray(list) && list.includes(query[filter]))
  const modelSummaries = catalog
    .filter(({ lifecycle }) => lifecycle.state !== 'retired')
    .map((row) => foundationModel(row, region))
    .filter(
      (model) =>
        (query.byProvider ?? 'anthropic').toLowerCase() === 'anthropic' &&
        has(model.customizationsSupported, 'byCustomizationType') &&
        has(model.outputModalities, 'byOutputModality') &&
        has(model.inferenceTypesSupported, 'byInferenceType'),
    )
  return jsonResponse(state, { modelSummaries })
}

function foundationModel({ base, onDemand, lifecycle }: (typeof catalog)[number], region: string): JsonObject {
  const { released, endOfLife } = lifecycle
  return {
    modelId: base,
    modelArn: `arn:aws:bedrock:${region}::foundation-model/${base}`,
    modelName: base.replace(/^anthropic\./, ''),
    providerName: 'Anthropic',
    inputModalities: ['TEXT', 'IMAGE'],
    outputModalities: ['TEXT'],
    responseStreamingSupported: true,
    customizationsSupported: [],
    inferenceTypesSupported: onDemand?.includes(region) ? ['ON_DEMAND'] : ['INFERENCE_PROFILE'],
    modelLifecycle: {
      status: lifecycle.state === 'legacy' ? 'LEGACY' : 'ACTIVE',
      ...(released && { startOfLifeTime: `${released}T00:00:00Z` }),
      ...(endOfLife && { endOfLifeTime: `${endOfLife}T00:00:00Z` }),
    },
  }
}

function isGuardrail({ identifier }: FakeGuardrail, id: string): boolean {
  return identifier === id || id.endsWith(`/${identifier}`)
}

const times: JsonObject = { createdAt: '2026-01-01T00:00:00Z', updatedAt: '2026-01-01T00:00:00Z' }

function guardrailSummary(guardrail: FakeGuardrail, version: string, region: string): JsonObject {
  const { identifier, name = identifier } = guardrail
  return {
    id: identifier,
    arn: `arn:aws:bedrock:${region}:${account}:guardrail/${identifier}`,
    name,
    status: 'READY',
    version,
    ...times,
    ...crossRegion(guardrail, region),
  }
}

function guardrailDetails(guardrail: FakeGuardrail, version: string, region: string): JsonObject {
  const { identifier, name = identifier, blockedWords, message = 'Blocked by the guardrail.' } = guardrail
  return {
    guardrailId: identifier,
    guardrailArn: `arn:aws:bedrock:${region}:${account}:guardrail/${identifier}`,
    name,
    status: 'READY',
    version,
    ...times,
    wordPolicy: { words: blockedWords.map((text) => ({ text })), managedWordLists: [] },
    blockedInputMessaging: message,
    blockedOutputsMessaging: message,
    ...crossRegion(guardrail, region),
  }
}

function crossRegion({ crossRegionProfile: id }: FakeGuardrail, region: string): JsonObject {
  if (id === undefined) return {}
  const guardrailProfileArn = `arn:aws:bedrock:${region}:${account}:guardrail-profile/${id}`
  return { crossRegionDetails: { guardrailProfileId: id, guardrailProfileArn } }
}

function notFound(state: FakeState): Response {
  return errorResponse(state, {
    status: 404,
    type: 'ResourceNotFoundException',
    message: 'The requested resource was not found.',
  })
}

function invalid(state: FakeState, name: string, value: string, constraint: string): Response {
  return errorResponse(state, {
    status: 400,
    type: 'ValidationException',
    message: `1 validation error detected: Value '${value}' at '${name}' failed to satisfy constraint: ${constraint}`,
  })
}
