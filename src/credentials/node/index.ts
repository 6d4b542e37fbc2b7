/**
 * AWS credentials on Node: AWS's own chain, and commands that print or renew credentials.
 *
 * @module
 */
export { type AuthRefreshOptions, withAuthRefresh } from './auth-refresh.ts'
export { type FromCommandOptions, fromCommand } from './command.ts'
export { explainCredentials } from './explain.ts'
export { fromNodeProviderChain, type NodeProviderChainOptions } from './node-provider-chain.ts'
export type { CredentialProviderNode } from './credential-provider-node.ts'
export type { SharedFiles } from './shared-files.ts'
export { readTokenFile } from './token-file.ts'
