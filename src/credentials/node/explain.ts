import {
  type CredentialsExplanation,
  type ExplainCredentialsOptions,
  explainCredentials as explain,
} from '../explain.ts'
import { fromNodeProviderChain } from './node-provider-chain.ts'

/**
 * Explains which credentials a client on Node would use, why, and which settings are ignored. Does the same as the
 * function of that name in `outcrop/credentials`, but includes AWS's chain. With `env`, the chain uses that
 * environment.
 *
 * @example
 * ```ts
 * console.log(String(await explainCredentials({ region: 'us-east-1' })))
 * ```
 */
export async function explainCredentials(options: ExplainCredentialsOptions = {}): Promise<CredentialsExplanation> {
  const { env } = options
  const chain = fromNodeProviderChain({ env, region: options.region })
  return explain({ ...options, env: env ?? process.env, chain: options.chain ?? chain })
}
