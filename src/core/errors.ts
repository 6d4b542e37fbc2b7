import { redact, redactError } from './internal/redact.ts'
import type { AnthropicMessage } from './messages/types.ts'
import type { FailedTarget, JsonObject } from './types.ts'

// A symbol from the global registry, so that the ESM and the CommonJS copy of this package, or two installed versions,
// know each other's errors; `instanceof` does not.
const brand: unique symbol = Symbol.for('outcrop.error') as never

/** Every code that an error of this library may have. */
export type BedrockErrorCode = keyof BedrockErrorByCode

/** The class behind each code. {@link isBedrockError} narrows by it. */
export interface BedrockErrorByCode {
  configuration: ConfigurationError
  credentials: CredentialsError
  model_resolution: ModelResolutionError
  connection: ConnectionError
  timeout: TimeoutError
  service: ServiceError
  stream_exception: StreamError
  stream_truncated: StreamError
  stream_corrupt: StreamError
  guardrail_intervened: GuardrailError
  output_invalid: OutputError
  limit_reached: LimitError
  quota_exceeded: QuotaError
}

/** What every error of this library may be given. */
export interface BedrockErrorOptions {
  readonly cause?: unknown
  readonly hint?: string | undefined
  readonly requestId?: string | undefined
}

/**
 * The base of every error that this library throws, save a caller's own abort reason.
 *
 * Branch on `code`; show `message` and `hint` to people; give `requestId` to AWS Support.
 *
 * @example
 * ```ts
 * try {
 *   await bedrock.messages.create(params)
 * } catch (error) {
 *   if (isBedrockError(error, 'service') && error.type === 'ThrottlingException') backOff(error.retryAfter)
 *   else throw error
 * }
 * ```
 */
export abstract class BedrockError extends Error {
  abstract readonly code: BedrockErrorCode
  /** What to do about it, naming the region, model and credential source in play. */
  declare hint?: string
  /** The AWS request ID, when a response had one. */
  declare requestId?: string
  /** The targets of `failover` that the call had left before. */
  declare tried?: readonly FailedTarget[]

  // Spelled out, since a minifier renames classes: `name` of the class is what Node prints.
  static override readonly name: string = 'BedrockError'

  /** @param defaults - what holds where the options do not say otherwise */
  constructor(message: string, { cause, ...facts }: BedrockErrorOptions = {}, defaults: object = {}) {
    // Whoever throws it: text and causes from elsewhere go no further than here.
    super(
      redact(message),
      cause === undefined ? undefined : { cause: isBedrockError(cause) ? cause : redactError(cause) },
    )
    this.name = new.target.name
    Object.defineProperty(this, brand, { value: true })
    enrich<BedrockError>(Object.assign(this, defaults), facts)
  }

  /** What `JSON.stringify` makes of it, which would leave out the message. */
  toJSON(): object {
    return { message: this.message, ...(this as object) }
  }
}

/** What an error of a class may be told later. */
type Facts<Known extends BedrockError> = Known extends unknown
  ? { readonly [Name in Exclude<keyof Known, keyof Error | 'code' | 'toJSON'>]?: Known[Name] | undefined }
  : never

/** Adds to an error what has become known of it; what is `undefined` leaves it as it is. */
export function enrich<Known extends BedrockError>(error: Known, facts: Facts<Known>): Known {
  for (const [name, value] of Object.entries(facts)) {
    if (value !== undefined) Object.assign(error, { [name]: name === 'hint' ? redact(String(value)) : value })
  }
  return error
}

/** The call or the client can never work as it was asked for. Raised before anything is sent. */
export class ConfigurationError extends BedrockError {
  static override readonly name: string = 'ConfigurationError'
  declare readonly name: 'ConfigurationError'
  readonly code = 'configuration'
}

/** What a {@link CredentialsError} may be given. */
export interface CredentialsErrorOptions extends BedrockErrorOptions {
  readonly tryNextLink?: boolean | undefined
  readonly command?: string | undefined
}

/** No source gave credentials. */
export class CredentialsError extends BedrockError {
  static override readonly name: string = 'CredentialsError'
  declare readonly name: 'CredentialsError'
  readonly code = 'credentials'
  /** Whether a chain may go on to its next provider: this one was not set up, rather than set up and broken. */
  declare readonly tryNextLink: boolean
  /** The exact command that would help, such as `aws sso login --profile dev`. */
  declare readonly command?: string

  constructor(message: string, options?: CredentialsErrorOptions) {
    super(message, options, { tryNextLink: false })
  }
}

/** What a {@link ModelResolutionError} may be given. */
export interface ModelResolutionErrorOptions extends BedrockErrorOptions {
  readonly candidates?: readonly string[] | undefined
}

/** A model's name means nothing, or the model is not allowed. Raised before the model is called. */
export class ModelResolutionError extends BedrockError {
  static override readonly name: string = 'ModelResolutionError'
  declare readonly name: 'ModelResolutionError'
  readonly code = 'model_resolution'
  /** Names and IDs that come near. */
  declare readonly candidates: readonly string[]

  constructor(message: string, options?: ModelResolutionErrorOptions) {
    super(message, options, { candidates: [] })
  }
}

/** What a {@link ConnectionError} may be given. */
export interface ConnectionErrorOptions extends BedrockErrorOptions {
  readonly retryable?: boolean | undefined
}

/** No whole response came: the connection failed, or closed inside a body. */
export class ConnectionError extends BedrockError {
  static override readonly name: string = 'ConnectionError'
  declare readonly name: 'ConnectionError'
  readonly code = 'connection'
  declare readonly retryable: boolean
  /** How many attempts were made. */
  declare attempts?: number

  constructor(message: string, options?: ConnectionErrorOptions) {
    super(message, options, { retryable: true })
  }
}

/** Which wait a {@link TimeoutError} ended. */
export type TimeoutPhase = 'connect' | 'response' | 'idle' | 'total'

/** What a {@link TimeoutError} is made of. */
export interface TimeoutErrorOptions extends BedrockErrorOptions {
  readonly phase: TimeoutPhase
  readonly retryable?: boolean | undefined
}

/** A deadline passed. */
export class TimeoutError extends BedrockError {
  static override readonly name: string = 'TimeoutError'
  declare readonly name: 'TimeoutError'
  readonly code = 'timeout'
  declare readonly phase: TimeoutPhase
  declare readonly retryable: boolean
  /** The message as far as it had come, when it was a stream of one. */
  declare partial?: AnthropicMessage
  /** How many attempts were made. */
  declare attempts?: number

  constructor(message: string, options: TimeoutErrorOptions) {
    super(message, options, { retryable: false })
  }
}

/** What AWS, or something between here and AWS, answered in place of a result. */
export interface ServiceErrorOptions extends BedrockErrorOptions {
  readonly status: number
  /** @default 'UnknownError' */
  readonly type?: string | undefined
  /** @default false */
  readonly retryable?: boolean | undefined
  readonly retryAfter?: number | undefined
  readonly originalStatusCode?: number | undefined
}

/**
 * An error answer of the service.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
 */
export class ServiceError extends BedrockError {
  static override readonly name: string = 'ServiceError'
  declare readonly name: 'ServiceError'
  readonly code = 'service'
  /** The HTTP status. */
  declare readonly status: number
  /** AWS's own name of the error, such as `ThrottlingException`; `UnknownError` where the answer named none. */
  declare readonly type: string
  /** Whether the same call may succeed later. */
  declare readonly retryable: boolean
  /** How long the service asked to wait, in milliseconds. */
  declare readonly retryAfter?: number
  /** What the model itself answered, on a `ModelErrorException`. */
  declare readonly originalStatusCode?: number
  /** How many attempts were made. */
  declare attempts?: number

  constructor(message: string, options: ServiceErrorOptions) {
    super(message, options, { type: 'UnknownError', retryable: false })
  }
}

/** What may go wrong with a stream after it has begun. */
export type StreamErrorCode = 'stream_exception' | 'stream_truncated' | 'stream_corrupt'

/** What a {@link StreamError} is made of. */
export interface StreamErrorOptions extends BedrockErrorOptions {
  readonly status?: number | undefined
  readonly type?: string | undefined
  readonly retryable?: boolean | undefined
}

/**
 * A stream ended wrongly: `stream_exception` when the service said so inside it, `stream_truncated` when it stopped
 * before its end, `stream_corrupt` when its bytes are damaged or its events do not make a message. Whole events before
 * the fault were delivered.
 */
export class StreamError extends BedrockError {
  static override readonly name: string = 'StreamError'
  declare readonly name: 'StreamError'
  declare readonly code: StreamErrorCode
  /** The HTTP status that the exception stands for, such as 429 for `ThrottlingException`. */
  declare readonly status?: number
  /** AWS's or Anthropic's own name of the error, verbatim but in PascalCase for AWS's. */
  declare readonly type?: string
  declare readonly retryable: boolean
  /** The message as far as it had come, with its usage. Left out for raw streams. */
  declare partial?: AnthropicMessage
  /** How many attempts were made. */
  declare attempts?: number

  constructor(code: StreamErrorCode, message: string, options?: StreamErrorOptions) {
    super(message, options, { code, retryable: code !== 'stream_exception' })
  }
}

/** What a {@link GuardrailError} may be given. */
export interface GuardrailErrorOptions extends BedrockErrorOptions {
  readonly trace?: JsonObject | undefined
  readonly response?: AnthropicMessage | JsonObject | undefined
}

/** A guardrail intervened, and `onIntervention: 'throw'` was asked for. */
export class GuardrailError extends BedrockError {
  static override readonly name: string = 'GuardrailError'
  declare readonly name: 'GuardrailError'
  readonly code = 'guardrail_intervened'
  /** The guardrail's trace, when it was asked for. */
  declare readonly trace?: JsonObject
  /** The message as it was blocked. */
  declare readonly response?: AnthropicMessage | JsonObject

  constructor(message: string, options?: GuardrailErrorOptions) {
    super(message, options)
  }
}

/** What an {@link OutputError} is made of. */
export interface OutputErrorOptions extends BedrockErrorOptions {
  readonly response: AnthropicMessage
  readonly issues?: readonly { readonly message: string }[] | undefined
}

/** The model's output is not what was asked for: it does not fit the schema, was cut, or is a refusal. */
export class OutputError extends BedrockError {
  static override readonly name: string = 'OutputError'
  declare readonly name: 'OutputError'
  readonly code = 'output_invalid'
  /** What the model wrote. */
  declare readonly response: AnthropicMessage
  /** Where the output does not fit its schema, in the words of the schema's library. */
  declare readonly issues?: readonly { readonly message: string }[]

  constructor(message: string, options: OutputErrorOptions) {
    super(message, options)
  }
}

/** What a {@link LimitError} is made of. */
export interface LimitErrorOptions extends BedrockErrorOptions {
  readonly limit: string
  readonly response: AnthropicMessage
}

/** A loop of tool calls reached a limit, and the model would have gone on. */
export class LimitError extends BedrockError {
  static override readonly name: string = 'LimitError'
  declare readonly name: 'LimitError'
  readonly code = 'limit_reached'
  /** Which limit: `turns`, `toolCalls` or `tokens`. */
  declare readonly limit: string
  /** The last message, whose tool calls were not run. */
  declare readonly response: AnthropicMessage

  constructor(message: string, options: LimitErrorOptions) {
    super(message, options)
  }
}

/** What a {@link QuotaError} is made of. */
export interface QuotaErrorOptions extends BedrockErrorOptions {
  readonly limit: string
  readonly retryAfter?: number | undefined
}

/** A call was held back on this side: its budget has too little, and the wait would be too long. Nothing was sent. */
export class QuotaError extends BedrockError {
  static override readonly name: string = 'QuotaError'
  declare readonly name: 'QuotaError'
  readonly code = 'quota_exceeded'
  /** Which budget: `tokens`, `requests`, `concurrency`, `day` or `queue`. */
  readonly limit: string
  /** How long to wait, in milliseconds, as it looks now. Left out where waiting does not help. */
  declare readonly retryAfter?: number
  /** Whether the same call may succeed later. */
  readonly retryable: boolean

  constructor(message: string, { limit, retryAfter, ...options }: QuotaErrorOptions) {
    super(message, options)
    this.limit = limit
    this.retryable = retryAfter !== undefined
    enrich<QuotaError>(this, { retryAfter })
  }
}

/**
 * Tells whether something is an error of this library, and of one code if `code` is given. Works across copies of the
 * package, where `instanceof` does not.
 *
 * @example
 * ```ts
 * if (isBedrockError(error, 'timeout')) console.log(error.phase)
 * ```
 */
export function isBedrockError(error: unknown): error is BedrockErrorByCode[BedrockErrorCode]
export function isBedrockError<Code extends BedrockErrorCode>(
  error: unknown,
  code: Code,
): error is BedrockErrorByCode[Code]
export function isBedrockError(error: unknown, code?: BedrockErrorCode): boolean {
  if (typeof error !== 'object' || error === null || !(brand in error)) return false
  return code === undefined || (error as { code?: unknown }).code === code
}
