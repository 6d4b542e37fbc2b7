/**
 * The thin core: sign, send, decode, retry. No catalog of models, no hints, no credential chain but the environment.
 *
 * @module
 */
export {
  type BedrockCoreClient,
  type CoreClient,
  type CoreClientOptions,
  createBedrockClient,
  type InvokeRequest,
  type InvokeResult,
  type InvokeStreamResult,
} from './client.ts'
