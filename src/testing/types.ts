import type { Clock, Identity, JsonObject, JsonValue } from '../core/types.ts'

/** A request as the fake received it. */
export interface ArrivedRequest {
  readonly method: string
  readonly url: URL
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly signal: AbortSignal | undefined
}

/** The result of verifying a request's signature or API key. */
export interface SignatureVerdict {
  readonly valid: boolean
  /** Why it is invalid, in AWS's words. */
  readonly reason?: string | undefined
}

/** A request to the fake, and its outcome. */
export interface FakeCall {
  /** Bedrock's name for the operation, such as `InvokeModel`; `Unknown` for a path that AWS does not route. */
  readonly operation: string
  /** The model's ID or ARN, decoded. For other operations, the resource in the path. */
  readonly model?: string | undefined
  /** The Region that the request was signed for or sent to. */
  readonly region: string
  readonly method: string
  /** The path as it was sent. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  /** The JSON body. For CountTokens, the inner body whose tokens are counted. */
  readonly body: JsonObject
  readonly signature: SignatureVerdict
  /** The access key ID, or `api-key`. */
  readonly identity?: string | undefined
  /** The response status; 0 for a broken connection. */
  status: number
  /** Whether the client disconnected before the response was complete. */
  aborted: boolean
}

/** A reply: text, a message (missing fields are filled in), a stream's events, or a function of the call. */
export type FakeReply =
  | string
  | (Partial<FakeMessage> & { readonly content: readonly JsonObject[] })
  | readonly JsonObject[]
  | FakeReplyFunction

/** Creates a reply for a call. */
export type FakeReplyFunction = (call: FakeCall) => Exclude<FakeReply, FakeReplyFunction> | undefined

/** A message as Bedrock returns it. */
export interface FakeMessage {
  readonly id: string
  readonly type: 'message'
  readonly role: 'assistant'
  readonly model: string
  readonly content: readonly JsonObject[]
  readonly stop_reason: string
  readonly stop_sequence: string | null
  readonly usage: JsonObject
  readonly [field: string]: JsonValue | undefined | readonly JsonObject[]
}

/** Options of {@link createFakeBedrock}. */
export interface FakeBedrockOptions {
  /** The fake's own Region; it accepts requests that are signed for any Region. @default 'us-east-1' */
  readonly region?: string | undefined
  /** The identities that may call. @default one made-up pair of keys, `fake.identity` */
  readonly identities?: readonly Identity[] | undefined
  /** The models' answer. @default a reply that fits the request */
  readonly reply?: FakeReply | undefined
  /** The account's inference profiles and models. @default the catalog's */
  readonly models?: FakeModels | undefined
  /** The account's guardrails. @default none */
  readonly guardrails?: readonly FakeGuardrail[] | undefined
  /**
   * The account's quotas. Calls are admitted and counted as by Bedrock, and rejected with its 429s. Service Quotas
   * lists them.
   *
   * @default none: everything is admitted
   */
  readonly quotas?: readonly FakeQuota[] | undefined
  /** Tokens per day of all models together. @default no limit */
  readonly tokensPerDay?: number | undefined
  /** The fake's own time, for skew, expiration, quotas and the prompt cache. @default the real time */
  readonly clock?: Pick<Clock, 'now'> | undefined
}

/** A quota of a model, for each Region that is called. */
export interface FakeQuota {
  /** The base model, such as `anthropic.claude-sonnet-4-6`. */
  readonly model: string
  /** The calls that it covers: base IDs, geographic profiles, or `global.` profiles. @default 'cross-region' */
  readonly bucket?: 'on-demand' | 'cross-region' | 'global' | undefined
  /** Tokens in any 60 seconds. `0` refuses everything, with "Operation not allowed". @default no limit */
  readonly tokensPerMinute?: number | undefined
  /** Requests in any 60 seconds. @default no limit */
  readonly requestsPerMinute?: number | undefined
}

/** The models and profiles of an account. */
export interface FakeModels {
  /** Application inference profiles: ARN to base model ID. */
  readonly applicationProfiles?: Readonly<Record<string, string>> | undefined
  /** System profile IDs per Region, instead of the catalog's. */
  readonly systemProfiles?: readonly string[] | undefined
  /** Actions that are denied, such as `bedrock:ListInferenceProfiles`. */
  readonly denied?: readonly string[] | undefined
  /** Values that GetFoundationModelAvailability returns instead of full availability, by base model ID. */
  readonly availability?: Readonly<Record<string, JsonObject>> | undefined
  /** Whether Anthropic's use-case form was submitted. Without it, calls to Anthropic's models fail. @default true */
  readonly useCaseForm?: boolean | undefined
  /** Whether to reject unknown Anthropic model IDs. @default true */
  readonly strict?: boolean | undefined
}

/** A guardrail that blocks text that contains one of its words. */
export interface FakeGuardrail {
  readonly identifier: string
  /** The published versions. The account also has a draft, but it is applied only if `DRAFT` is listed here. */
  readonly versions: readonly string[]
  /** @default the identifier */
  readonly name?: string | undefined
  /** The guardrail profile that lets it follow a call into other Regions, such as `us.guardrail.v1:0`. @default none */
  readonly crossRegionProfile?: string | undefined
  readonly blockedWords: readonly string[]
  /** @default 'Blocked by the guardrail.' */
  readonly message?: string | undefined
  /** Where the trace is nested; Bedrock uses both. @default 'guardrail' */
  readonly nesting?: 'guardrail' | 'guardrails' | undefined
  /** The stream event that first reports an intervention. @default 'start' */
  readonly place?: 'start' | 'middle' | 'end' | undefined
}
