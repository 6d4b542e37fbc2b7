/**
 * AWS credentials on any runtime. Each source is a `CredentialProvider` that caches and renews its credentials.
 *
 * @module
 */
export { type CachedOptions, cached } from '../core/internal/cached-provider.ts'
export type { Environment } from '../core/internal/env.ts'
export { type AssumeRoleOptions, fromAssumeRole, type RoleOptions } from './assume-role.ts'
export { type BearerTokenSource, fromBearerToken } from './bearer-token.ts'
export {
  type BedrockApiKeyDescription,
  type BedrockApiKeyOptions,
  createBedrockApiKey,
  describeBedrockApiKey,
} from './bedrock-api-key.ts'
export { chain } from './chain.ts'
export { type ContainerMetadataOptions, fromContainerMetadata } from './container-metadata.ts'
export { fromEnvironment } from './environment.ts'
export {
  type CredentialsExplanation,
  type CredentialsStep,
  type ExplainCredentialsOptions,
  explainCredentials,
  type IdentityDescription,
} from './explain.ts'
export { fromStatic } from './static.ts'
export { fromWebIdentity, type WebIdentityOptions } from './web-identity.ts'
