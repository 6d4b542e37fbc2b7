import { redact, redactError } from './internal/redact.ts'
import type { AnthropicMessage } from './messages/types.ts'
import type { FailedTarget, JsonObject } from './types.ts'

// A symbol from the global registry, so that the ESM and CommonJS copies of this package, and two installed versions,
// recognize each other's errors. `instanceof` does not.
const brand: unique symbol = Symbol.for('outcrop.error') as never

/** Every error code of this library. */
export type BedrockErrorCode = keyof BedrockErrorByCode

/** The class for each code. {@link isBedrockError} narrows by it. */
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

/** Options of every error. */
export interface BedrockErrorOptions {
  readonly cause?: unknown
  readonly hint?: string | undefined
  readonly requestId?: string | undefined
}

/**
 * The base class of every error that this library throws, except for a caller's own abort reason.
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
  /** What to do about it, naming the Region, model and credential source in use. */
  declare hint?: string
  /** The AWS request ID, if a response had one. */
  declare requestId?: string
  /** The targets of `failover` that the call had already tried. */
  declare tried?: readonly FailedTarget[]

  // Explicit, because minifiers rename classes, and Node prints this name.
  static override readonly name: string = 'BedrockError'

  /** @param defaults - used where the options have no value */
  constructor(message: string, { cause, ...details }: BedrockErrorOptions = {}, defaults: object = {}) {
    // Redacts text and causes from outside, whatever throws the error.
    super(
      redact(message),
      cause === undefined ? undefined : { cause: isBedrockError(cause) ? cause : redactError(cause) },
    )
    this.name = new.target.name
    Object.defineProperty(this, brand, { value: true })
    enrich<BedrockError>(Object.assign(this, defaults), details)
  }

  /** Returns the fields for `JSON.stringify`, which would leave out the message. */
  toJSON(): object {
    return { message: this.message, ...(this as object) }
  }
}

/** The fields that may be added to an error of a class. */
type Details<Known extends BedrockError> = Known extends unknown
  ? { readonly [Name in Exclude<keyof Known, keyof Error | 'code' | 'toJSON'>]?: Known[Name] | undefined }
  : never

/** Adds fields to an error; `undefined` values change nothing. */
export function enrich<Known extends BedrockError>(error: Known, details: Details<Known>): Known {
  for (const [name, value] of Object.entries(details)) {
    if (value !== undefined) Object.assign(error, { [name]: name === 'hint' ? redact(String(value)) : value })
  }
  return error
}

/** The call or the client can never work as configured. Thrown before anything is sent. */
export class ConfigurationError extends BedrockError {
  static override readonly name: string = 'ConfigurationError'
  declare readonly name: 'ConfigurationError'
  readonly code = 'configuration'
}

/** Options of a {@link CredentialsError}. */
export interface CredentialsErrorOptions extends BedrockErrorOptions {
  readonly tryNextLink?: boolean | undefined
  readonly command?: string | undefined
}

/** No source provided credentials. */
export class CredentialsError extends BedrockError {
  static override readonly name: string = 'CredentialsError'
  declare readonly name: 'CredentialsError'
  readonly code = 'credentials'
  /**
   * Whether a chain may go on to its next provider, because this one was not set up (as opposed to set up but broken).
   */
  declare readonly tryNextLink: boolean
  /** The exact command that would help, such as `aws sso login --profile dev`. */
  declare readonly command?: string

  constructor(message: string, options?: CredentialsErrorOptions) {
    super(message, options, { tryNextLink: false })
  }
}

/** Options of a {@link ModelResolutionError}. */
export interface ModelResolutionErrorOptions extends BedrockErrorOptions {
  readonly candidates?: readonly string[] | undefined
}

/** A model name is unknown, or the model is not allowed. Thrown before the model is called. */
export class ModelResolutionError extends BedrockError {
  static override readonly name: string = 'ModelResolutionError'
  declare readonly name: 'ModelResolutionError'
  readonly code = 'model_resolution'
  /** Similar names and IDs. */
  declare readonly candidates: readonly string[]

  constructor(message: string, options?: ModelResolutionErrorOptions) {
    super(message, options, { candidates: [] })
  }
}

/** Options of a {@link ConnectionError}. */
export interface ConnectionErrorOptions extends BedrockErrorOptions {
  readonly retryable?: boolean | undefined
}

/** No complete response arrived: the connection failed, or closed inside a body. */
export class ConnectionError extends BedrockError {
  static override readonly name: string = 'ConnectionError'
  declare readonly name: 'ConnectionError'
  readonly code = 'connection'
  declare readonly retryable: boolean
  /** The number of attempts made. */
  declare attempts?: number

  constructor(message: string, options?: ConnectionErrorOptions) {
    super(message, options, { retryable: true })
  }
}

/** The wait that a {@link TimeoutError} ended. */
export type TimeoutPhase = 'connect' | 'response' | 'idle' | 'total'

/** Options of a {@link TimeoutError}. */
export interface TimeoutErrorOptions extends BedrockErrorOptions {
  readonly phase: TimeoutPhase
  readonly retryable?: boolean | undefined
}

/** A timeout expired. */
export class TimeoutError extends BedrockError {
  static override readonly name: string = 'TimeoutError'
  declare readonly name: 'TimeoutError'
  readonly code = 'timeout'
  declare readonly phase: TimeoutPhase
  declare readonly retryable: boolean
  /** The message so far, if it was streamed. */
  declare partial?: AnthropicMessage
  /** The number of attempts made. */
  declare attempts?: number

  constructor(message: string, options: TimeoutErrorOptions) {
    super(message, options, { retryable: false })
  }
}

/** Options of a {@link ServiceError}. */
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
 * AWS, or a server in between, answered with an error.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
 */
export class ServiceError extends BedrockError {
  static override readonly name: string = 'ServiceError'
  declare readonly name: 'ServiceError'
  readonly code = 'service'
  /** The HTTP status. */
  declare readonly status: number
  /** AWS's own name for the error, such as `ThrottlingException`; `UnknownError` if the response named none. */
  declare readonly type: string
  /** Whether the same call may succeed later. */
  declare readonly retryable: boolean
  /** How long the service asked to wait, in milliseconds. */
  declare readonly retryAfter?: number
  /** The status that the model itself returned, for a `ModelErrorException`. */
  declare readonly originalStatusCode?: number
  /** The number of attempts made. */
  declare attempts?: number

  constructor(message: string, options: ServiceErrorOptions) {
    super(message, options, { type: 'UnknownError', retryable: false })
  }
}

/** The ways in which a stream may fail after it has begun. */
export type StreamErrorCode = 'stream_exception' | 'stream_truncated' | 'stream_corrupt'

/** Options of a {@link StreamError}. */
export interface StreamErrorOptions extends BedrockErrorOptions {
  readonly status?: number | undefined
  readonly type?: string | undefined
  readonly retryable?: boolean | undefined
}

/**
 * A stream failed: `stream_exception` if the service ended it with an error, `stream_truncated` if it stopped before
 * its end, `stream_corrupt` if its bytes are damaged or its events do not form a message. Whole events before the fault
 * were delivered.
 */
export class StreamError extends BedrockError {
  static override readonly name: string = 'StreamError'
  declare readonly name: 'StreamError'
  declare readonly code: StreamErrorCode
  /** The HTTP status of the same error outside a stream, such as 429 for `ThrottlingException`. */
  declare readonly status?: number
  /** AWS's or Anthropic's own name for the error, verbatim, except that AWS's is in PascalCase. */
  declare readonly type?: string
  declare readonly retryable: boolean
  /** The message so far, with its usage. Left out for raw streams. */
  declare partial?: AnthropicMessage
  /** The number of attempts made. */
  declare attempts?: number

  constructor(code: StreamErrorCode, message: string, options?: StreamErrorOptions) {
    super(message, options, { code, retryable: code !== 'stream_exception' })
  }
}

/** Options of a {@link GuardrailError}. */
export interface GuardrailErrorOptions extends BedrockErrorOptions {
  readonly trace?: JsonObject | undefined
  readonly response?: AnthropicMessage | JsonObject | undefined
}

/** A guardrail intervened, and `onIntervention` is `'throw'`. */
export class GuardrailError extends BedrockError {
  static override readonly name: string = 'GuardrailError'
  declare readonly name: 'GuardrailError'
  readonly code = 'guardrail_intervened'
  /** The guardrail's trace, if requested. */
  declare readonly trace?: JsonObject
  /** The blocked message. */
  declare readonly response?: AnthropicMessage | JsonObject

  constructor(message: string, options?: GuardrailErrorOptions) {
    super(message, options)
  }
}

/** Options of an {@link OutputError}. */
export interface OutputErrorOptions extends BedrockErrorOptions {
  readonly response: AnthropicMessage
  readonly issues?: readonly { readonly message: string }[] | undefined
}

/** The model's output does not match the schema, was cut, or is a refusal. */
export class OutputError extends BedrockError {
  static override readonly name: string = 'OutputError'
  declare readonly name: 'OutputError'
  readonly code = 'output_invalid'
  /** The model's message. */
  declare readonly response: AnthropicMessage
  /** Why the output does not match its schema, in the words of the schema's library. */
  declare readonly issues?: readonly { readonly message: string }[]

  constructor(message: string, options: OutputErrorOptions) {
    super(message, options)
  }
}

/** Options of a {@link LimitError}. */
export interface LimitErrorOptions extends BedrockErrorOptions {
  readonly limit: string
  readonly response: AnthropicMessage
}

/** A tool loop reached a limit before the model was done. */
export class LimitError extends BedrockError {
  static override readonly name: string = 'LimitError'
  declare readonly name: 'LimitError'
  readonly code = 'limit_reached'
  /** The limit: `turns`, `toolCalls` or `tokens`. */
  declare readonly limit: string
  /** The last message, whose tool calls were not run. */
  declare readonly response: AnthropicMessage

  constructor(message: string, options: LimitErrorOptions) {
    super(message, options)
  }
}

/** Options of a {@link QuotaError}. */
export interface QuotaErrorOptions extends BedrockErrorOptions {
  readonly limit: string
  readonly retryAfter?: number | undefined
}

/** The client held a call back: its budget has too little left, and the wait would be too long. Nothing was sent. */
export class QuotaError extends BedrockError {
  static override readonly name: string = 'QuotaError'
  declare readonly name: 'QuotaError'
  readonly code = 'quota_exceeded'
  /** The budget: `tokens`, `requests`, `concurrency`, `day` or `queue`. */
  readonly limit: string
  /** The estimated wait in milliseconds. Left out if waiting does not help. */
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
 * Tests whether something is an error of this library, and has the given `code`, if any. Works across copies of the
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
