import type { BedrockResponse, Operation } from '../types.ts'

/** What sets an operation of the Invoke API apart. */
export interface OperationTraits {
  /** The last part of its path, behind `/model/{modelId}/`. */
  readonly path: string
  /** How it answers. */
  readonly answers: BedrockResponse['type']
  /** Whether the model generates anything: guardrails, caches and service tiers are for those that do. */
  readonly generates: boolean
}

/** The operations, as AWS's service model has them. */
export const operations: Readonly<Record<Operation, OperationTraits>> = {
  InvokeModel: { path: 'invoke', answers: 'json', generates: true },
  InvokeModelWithResponseStream: { path: 'invoke-with-response-stream', answers: 'stream', generates: true },
  CountTokens: { path: 'count-tokens', answers: 'json', generates: false },
}
