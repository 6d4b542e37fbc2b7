import process from 'node:process'
import {
  type CredentialsExplanation,
  type ExplainCredentialsOptions,
  explainCredentials as explain,
} from '../explain.ts'
import { fromNodeProviderChain } from './node-provider-chain.ts'

/**
 * Tells which credentials a client on Node would use, why those, and what else is set and passed over: as the function
 * of the same name in `outcrop/credentials`, and with AWS's chain to go on to. With `env`, the chain sees that
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
