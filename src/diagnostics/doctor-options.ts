import type { BedrockClient } from '../client.ts'
import type { CredentialProvider, EndpointOptions, Environment } from '../core/types.ts'
import type { CheckResult } from './report.ts'

/** What `runDoctor` looks at. */
export interface DoctorOptions {
  readonly client: BedrockClient
  /** The region that is called. Left out where none is set, which is a failure of its own. */
  readonly region?: string | undefined
  /** Why this region: a variable, a profile, a flag. */
  readonly regionSource?: string | undefined
  /** The client's credentials. Left out for `'none'`. */
  readonly credentials?: CredentialProvider | undefined
  /** The client's endpoint. */
  readonly endpoint?: string | URL | EndpointOptions | undefined
  /** The client's variables, in which an endpoint may be. @default those of the process */
  readonly env?: Environment | undefined
  /** The names that are called: `default`, `small`, pins, overrides. @default ['default', 'small'] */
  readonly models?: readonly string[] | undefined
  readonly guardrail?: { readonly identifier: string; readonly version: string } | undefined
  /** Makes a real call of one token to each model, which costs a little. @default false */
  readonly invoke?: boolean | undefined
  /** Sends what is not signed for Bedrock: a ping, a question to STS. @default as the client sends */
  readonly fetch?: typeof fetch | undefined
  /** The families whose names stand for a version that somebody chose. Those that are not among them are warned of. */
  readonly pinned?: readonly string[] | undefined
  /** What was found of settings, to begin the report with. */
  readonly settings?: readonly CheckResult[] | undefined
  /** @default Date.now */
  readonly now?: (() => number) | undefined
}
