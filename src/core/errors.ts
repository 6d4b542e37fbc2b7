import { redact, redactError } from './internal/redact.ts'
import type { AnthropicMessage } from './messages/types.ts'
import type { JsonObject } from './types.ts'

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

  /** @param defaults - what a subclass has where the options leave it out */
  constructor(message: string, { cause, ...details }: BedrockErrorOptions = {}, defaults?: object) {
    // Whoever throws it: text and causes from elsewhere go no further than here.
    super(
      redact(message),
      cause === undefined ? undefined : { cause: isBedrockError(cause) ? cause : redactError(cause) },
    )
    // The class names are spelled out below: a minifier renames classes.
    Object.defineProperty(this, brand, { value: true })
    Object.assign(this, defaults)
    for (const [name, value] of Object.entries(details)) {
      if (value !== undefined) (this as Record<string, unknown>)[name] = value
    }
  }
}

/** The call or the client can never work as it was asked for. Raised before anything is sent. */
export class ConfigurationError extends BedrockError {
  override readonly name = 'ConfigurationError'
  readonly code = 'configuration'
}

/** What a {@link CredentialsError} may be given. */
export interface CredentialsErrorOptions extends BedrockErrorOptions {
  readonly tryNextLink?: boolean | undefined
  readonly command?: string | undefined
}

/** No source gave credentials. */
export class CredentialsError extends BedrockError {
  override readonly name = 'CredentialsError'
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
  override readonly name = 'ModelResolutionError'
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
  override readonly name = 'ConnectionError'
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
  override readonly name = 'TimeoutError'
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
  override readonly name = 'ServiceError'
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
  override readonly name = 'StreamError'
  readonly code: StreamErrorCode
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
    super(message, options, { retryable: code !== 'stream_exception' })
    this.code = code
  }
}

/** What a {@link GuardrailError} may be given. */
export interface GuardrailErrorOptions extends BedrockErrorOptions {
  readonly trace?: JsonObject | undefined
  readonly response?: AnthropicMessage | JsonObject | undefined
}

/** A guardrail intervened, and `onIntervention: 'throw'` was asked for. */
export class GuardrailError extends BedrockError {
  override readonly name = 'GuardrailError'
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
  override readonly name = 'OutputError'
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
  override readonly name = 'LimitError'
  readonly code = 'limit_reached'
  /** Which limit: `turns`, `toolCalls` or `tokens`. */
  declare readonly limit: string
  /** The last message, whose tool calls were not run. */
  declare readonly response: AnthropicMessage

  constructor(message: string, options: LimitErrorOptions) {
    super(message, options)
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
