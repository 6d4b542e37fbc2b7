import type { JsonObject } from '../core/types.ts'
import { catalog } from '../models/catalog.ts'
import { profilesIn } from './models.ts'
import { errorResponse, type FakeState, jsonResponse } from './respond.ts'
import type { FakeCall } from './types.ts'

/** The control plane: what the account has. `undefined` for what it does not serve. */
export function answerControlPlane(state: FakeState, call: FakeCall): Response | undefined {
  const { operation, region, model: id = '', query } = call
  if (state.options.models?.denied?.includes(`bedrock:${operation}`)) {
    return errorResponse(state, {
      status: 403,
      type: 'AccessDeniedException',
      message: `User: arn:aws:iam::123456789012:user/me is not authorized to perform: bedrock:${operation} because no identity-based policy allows the bedrock:${operation} action`,
    })
  }
  switch (operation) {
    case 'ListInferenceProfiles': {
      const all = profilesIn(state, region).filter(({ type }) => !query.type || type === query.type)
      const size = Math.min(Number(query.maxResults ?? 100), 1000)
      const from = Number(query.nextToken ?? 0)
      const next = from + size < all.length ? { nextToken: String(from + size) } : {}
      return jsonResponse(state, { inferenceProfileSummaries: all.slice(from, from + size), ...next })
    }
    case 'GetInferenceProfile': {
      const profile = profilesIn(state, region).find(
        ({ inferenceProfileId, inferenceProfileArn }) => inferenceProfileId === id || inferenceProfileArn === id,
      )
      return profile ? jsonResponse(state, profile) : notFound(state)
    }
    case 'ListFoundationModels':
      return jsonResponse(state, { modelSummaries: catalog.map((row) => foundationModel(row, region)) })
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
        ...state.options.models?.availability?.[id],
      })
    case 'GetUseCaseForModelAccess':
      if (state.options.models?.useCaseForm === false) return notFound(state)
      return jsonResponse(state, { formData: btoa('{"companyName":"Example"}') })
    case 'ListGuardrails':
      return jsonResponse(state, {
        guardrails: (state.options.guardrails ?? []).map(({ identifier, versions }) => ({
          id: identifier,
          version: versions.at(-1) ?? 'DRAFT',
        })),
      })
    case 'GetGuardrail': {
      const guardrail = state.options.guardrails?.find(
        ({ identifier }) => identifier === id || id.endsWith(`/${identifier}`),
      )
      const { guardrailVersion = 'DRAFT' } = query
      if (!guardrail?.versions.includes(guardrailVersion)) return notFound(state)
      return jsonResponse(state, { guardrailId: guardrail.identifier, version: guardrailVersion, status: 'READY' })
    }
    default:
      return undefined
  }
}

function foundationModel({ base, onDemand, lifecycle }: (typeof catalog)[number], region: string): JsonObject {
  return {
    modelId: base,
    modelArn: `arn:aws:bedrock:${region}::foundation-model/${base}`,
    providerName: 'Anthropic',
    inputModalities: ['TEXT', 'IMAGE'],
    outputModalities: ['TEXT'],
    responseStreamingSupported: true,
    inferenceTypesSupported: onDemand?.includes(region) ? ['ON_DEMAND'] : ['INFERENCE_PROFILE'],
    modelLifecycle: { status: lifecycle.state === 'legacy' ? 'LEGACY' : 'ACTIVE' },
  }
}

function notFound(state: FakeState): Response {
  return errorResponse(state, {
    status: 404,
    type: 'ResourceNotFoundException',
    message: 'The requested resource was not found.',
  })
}
