import type { Clock, Identity, JsonObject, JsonValue } from '../core/types.ts'

/** A request as it arrived. */
export interface ArrivedRequest {
  readonly method: string
  readonly url: URL
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly signal: AbortSignal | undefined
}

/** What the fake thinks of a request's signature or API key. */
export interface SignatureVerdict {
  readonly valid: boolean
  /** Why it is not valid, in AWS's words. */
  readonly reason?: string | undefined
}

/** One request that the fake has had, and what became of it. */
export interface FakeCall {
  /** Bedrock's name of the operation, such as `InvokeModel`; `Unknown` for a path that AWS does not route. */
  readonly operation: string
  /** The model's ID or ARN, decoded; for other operations, the resource that their path names. */
  readonly model?: string | undefined
  /** The region that the request was signed for, or sent to. */
  readonly region: string
  readonly method: string
  /** As it was on the wire. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>
  /** The JSON body. For CountTokens, the body inside it whose tokens are counted. */
  readonly body: JsonObject
  readonly signature: SignatureVerdict
  /** The access key ID, or `api-key`. */
  readonly identity?: string | undefined
  /** The status that was answered; 0 for a connection that was broken off. */
  status: number
  /** Whether the client went away before the response was whole. */
  aborted: boolean
}

/** What a reply may be: text, a message (its missing fields are filled in), a stream's events, or a function of the call. */
export type FakeReply =
  | string
  | (Partial<FakeMessage> & { readonly content: readonly JsonObject[] })
  | readonly JsonObject[]
  | FakeReplyFunction

/** Makes a reply for a call. */
export type FakeReplyFunction = (call: FakeCall) => Exclude<FakeReply, FakeReplyFunction> | undefined

/** A message as Bedrock answers it. */
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

/** How a fake Bedrock is set up. Everything may be left out. */
export interface FakeBedrockOptions {
  /** The region that it says it is; it answers for any that a request is signed for. @default 'us-east-1' */
  readonly region?: string | undefined
  /** Who may call. @default one made-up pair of keys, `fake.identity` */
  readonly identities?: readonly Identity[] | undefined
  /** What models answer. @default something that fits the request */
  readonly reply?: FakeReply | undefined
  /** Inference profiles and models of the account. @default the catalog's */
  readonly models?: FakeModels | undefined
  /** Guardrails of the account. @default none */
  readonly guardrails?: readonly FakeGuardrail[] | undefined
  /** The fake's own time, for skew, expiry and the prompt cache. @default the real time */
  readonly clock?: Pick<Clock, 'now'> | undefined
}

/** What models and profiles the account has. */
export interface FakeModels {
  /** Application inference profiles: ARN to base model ID. */
  readonly applicationProfiles?: Readonly<Record<string, string>> | undefined
  /** System profile IDs per region, in place of the catalog's. */
  readonly systemProfiles?: readonly string[] | undefined
  /** Actions that are denied, such as `bedrock:ListInferenceProfiles`. */
  readonly denied?: readonly string[] | undefined
  /** What GetFoundationModelAvailability says otherwise than that all is well, by base model ID. */
  readonly availability?: Readonly<Record<string, JsonObject>> | undefined
  /** Whether Anthropic's use-case form has been filed; without it, no model of Anthropic's is called. @default true */
  readonly useCaseForm?: boolean | undefined
  /** Whether an ID of Anthropic's that no model has is refused. @default true */
  readonly strict?: boolean | undefined
}

/** A guardrail that the fake applies: it blocks whatever has one of the words in it. */
export interface FakeGuardrail {
  readonly identifier: string
  /** The published versions. Its draft is in the account as well, but is applied only where `DRAFT` is listed here. */
  readonly versions: readonly string[]
  /** @default the identifier */
  readonly name?: string | undefined
  /** The guardrail profile that lets it follow a call into other regions, such as `us.guardrail.v1:0`. @default none */
  readonly crossRegionProfile?: string | undefined
  readonly blockedWords: readonly string[]
  /** @default 'Blocked by the guardrail.' */
  readonly message?: string | undefined
  /** Where the trace is nested; both have been seen. @default 'guardrail' */
  readonly nesting?: 'guardrail' | 'guardrails' | undefined
  /** Which event of a stream tells of an intervention first. @default 'start' */
  readonly place?: 'start' | 'middle' | 'end' | undefined
}
