import type { BedrockResponse, Operation } from '../types.ts'

/** The properties of an operation of the Invoke API. */
export interface OperationTraits {
  /** The last part of its path, after `/model/{modelId}/`. */
  readonly path: string
  /** The type of its response. */
  readonly answers: BedrockResponse['type']
  /** Whether the model generates anything. Guardrails, caches and service tiers apply only then. */
  readonly generates: boolean
}

/** The operations of AWS's service model. */
export const operations: Readonly<Record<Operation, OperationTraits>> = {
  InvokeModel: { path: 'invoke', answers: 'json', generates: true },
  InvokeModelWithResponseStream: { path: 'invoke-with-response-stream', answers: 'stream', generates: true },
  CountTokens: { path: 'count-tokens', answers: 'json', generates: false },
}
