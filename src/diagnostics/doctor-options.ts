import type { BedrockClient } from '../client.ts'
import type { CredentialProvider, EndpointOptions, Environment } from '../core/types.ts'
import type { CheckResult } from './report.ts'

/** Options of `runDoctor`. */
export interface DoctorOptions {
  readonly client: BedrockClient
  /** The Region to call. Left out if none is set, which is a failure. */
  readonly region?: string | undefined
  /** The source of the Region: a variable, a profile, a flag. */
  readonly regionSource?: string | undefined
  /** The client's credentials. Left out for `'none'`. */
  readonly credentials?: CredentialProvider | undefined
  /** The client's endpoint. */
  readonly endpoint?: string | URL | EndpointOptions | undefined
  /** The client's variables, which may include an endpoint. @default those of the process */
  readonly env?: Environment | undefined
  /** The names to check: `default`, `small`, pins, overrides. @default ['default', 'small'] */
  readonly models?: readonly string[] | undefined
  readonly guardrail?: { readonly identifier: string; readonly version: string } | undefined
  /**
   * The `max_tokens` of calls, which Bedrock reserves of the quota; `null` if they set none.
   *
   * @default unknown, and not checked
   */
  readonly maxTokens?: number | null | undefined
  /** Whether to call each model for one token, at a small cost. @default false */
  readonly invoke?: boolean | undefined
  /** Sends what is not signed for Bedrock: a ping, a question to STS. @default as the client sends */
  readonly fetch?: typeof fetch | undefined
  /** The families with a pinned version. The doctor warns about the others. */
  readonly pinned?: readonly string[] | undefined
  /** Rows about settings, to begin the report with. */
  readonly settings?: readonly CheckResult[] | undefined
  /** @default Date.now */
  readonly now?: (() => number) | undefined
}
