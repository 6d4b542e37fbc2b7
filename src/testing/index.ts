/**
 * An in-process fake Amazon Bedrock for tests and demos, which verifies every signature.
 *
 * @module
 */
export { createFakeBedrock, type FailOptions, type FakeBedrock } from './fake.ts'
export type { FaultName } from './faults.ts'
export type {
  FakeBedrockOptions,
  FakeCall,
  FakeGuardrail,
  FakeMessage,
  FakeModels,
  FakeQuota,
  FakeReply,
  FakeReplyFunction,
  SignatureVerdict,
} from './types.ts'
export { limitStoreContract, type LimitStoreSetting } from './limit-store-contract.ts'
export { responseStoreContract, type StoreContractCase } from './store-contract.ts'
