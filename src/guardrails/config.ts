import { ConfigurationError } from '../core/errors.ts'
import type { BedrockRequest, GuardrailOutcome } from '../core/types.ts'

/** A guardrail by its name: what every use of one needs. */
export interface GuardrailIdentity {
  /** The guardrail's ID, such as `gr1abc2def3g`, or its ARN. */
  readonly identifier: string
  /** A published version, 1 to 99999999, or `'DRAFT'`. */
  readonly version: string | number
}

/** How a guardrail is applied to calls. */
export interface GuardrailOptions extends GuardrailIdentity {
  /**
   * Whether the response tells what the guardrail found.
   *
   * @default 'disabled', as in Bedrock
   */
  readonly trace?: 'enabled' | 'enabled_full' | 'disabled' | undefined
  /** The suffix of the tags that mark user input in a prompt: letters and digits. Goes into the body. */
  readonly tagSuffix?: string | undefined
  /**
   * Whether a stream waits for the guardrail. `ASYNCHRONOUS` is faster, and may show text before it is blocked.
   *
   * @default 'SYNCHRONOUS', as in Bedrock
   */
  readonly streamProcessingMode?: 'SYNCHRONOUS' | 'ASYNCHRONOUS' | undefined
  /**
   * What an intervention does. `'return'`: nothing; the message is given as sent, and `metadata.guardrail` tells.
   * `'throw'`: a {@link GuardrailError} as soon as it is seen, in a stream after the events so far. A function is
   * called once with the outcome when the response is whole.
   *
   * @default 'return'
   */
  readonly onIntervention?:
    | 'return'
    | 'throw'
    | ((outcome: GuardrailOutcome, request: BedrockRequest) => void | Promise<void>)
    | undefined
  /**
   * Refuses a response that says nothing of the guardrail, with a {@link GuardrailError}: something between here and
   * Bedrock may have dropped the headers that ask for it.
   *
   * @default false
   */
  readonly requireOutcome?: boolean | undefined
  /**
   * Checks the last user turn with ApplyGuardrail before the model is called; where the guardrail intervenes, its own
   * text is the answer and the model is not called.
   *
   * @default false
   */
  readonly guardInput?: boolean | undefined
}

const identifierHeader = 'x-amzn-bedrock-guardrailidentifier'
const versionHeader = 'x-amzn-bedrock-guardrailversion'
const traceHeader = 'x-amzn-bedrock-trace'
const configField = 'amazon-bedrock-guardrailConfig'

/** @throws ConfigurationError unless both halves of a guardrail's name are there and well-formed. */
export function assertGuardrail({ identifier, version }: Partial<GuardrailIdentity>): void {
  if (!identifier || version === undefined || version === '') {
    throw new ConfigurationError(
      `A guardrail needs an identifier and a version; the ${identifier ? 'version' : 'identifier'} is missing`,
      {
        hint: "Give both, as in { identifier: 'gr1abc2def3g', version: 1 }. A half-named guardrail would guard nothing.",
      },
    )
  }
  if (
    !/^([a-z\d]+|arn:aws[\w-]*:bedrock:[a-z\d-]+:\d{12}:guardrail\/[a-z\d]+)$/.test(identifier) ||
    identifier.length > 2048
  ) {
    throw new ConfigurationError(`Not a guardrail’s ID or ARN: ${JSON.stringify(identifier)}`)
  }
  if (!/^([1-9]\d{0,7}|DRAFT)$/.test(String(version))) {
    throw new ConfigurationError(`Not a guardrail’s version: ${JSON.stringify(version)}`, {
      hint: "A version is a whole number from 1 to 99999999, or 'DRAFT'.",
    })
  }
}

/** @throws ConfigurationError for options that can never work. */
export function assertGuardrailOptions(options: GuardrailOptions): void {
  assertGuardrail(options)
  const { trace, tagSuffix, streamProcessingMode, onIntervention } = options
  oneOf('trace', trace, ['enabled', 'enabled_full', 'disabled'])
  oneOf('streamProcessingMode', streamProcessingMode, ['SYNCHRONOUS', 'ASYNCHRONOUS'])
  if (typeof onIntervention !== 'function') oneOf('onIntervention', onIntervention, ['return', 'throw'])
  if (tagSuffix !== undefined && !/^[A-Za-z\d]+$/.test(tagSuffix))
    throw new ConfigurationError('tagSuffix takes letters and digits only')
}

function oneOf(name: string, value: string | undefined, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value)) {
    throw new ConfigurationError(
      `${name} is ${JSON.stringify(value)}; it can be ${allowed.map((each) => `'${each}'`).join(', ')}`,
    )
  }
}

/** Puts a guardrail on a request: its name and trace as headers, the rest into the body. */
export function withGuardrail(request: BedrockRequest, options: GuardrailOptions): BedrockRequest {
  const { identifier, version, trace, tagSuffix, streamProcessingMode } = options
  const config = { ...(tagSuffix && { tagSuffix }), ...(streamProcessingMode && { streamProcessingMode }) }
  return {
    ...request,
    headers: {
      ...request.headers,
      [identifierHeader]: identifier,
      [versionHeader]: String(version),
      ...(trace && { [traceHeader]: trace.toUpperCase() }),
    },
    body: Object.keys(config).length > 0 ? { ...request.body, [configField]: config } : request.body,
  }
}

/** Takes whatever names a guardrail off a request. */
export function withoutGuardrail(request: BedrockRequest): BedrockRequest {
  const { [identifierHeader]: _id, [versionHeader]: _version, [traceHeader]: _trace, ...headers } = request.headers
  const { [configField]: _config, ...body } = request.body
  return { ...request, headers, body }
}

/** The guardrail that a request's plain headers name. @throws ConfigurationError when they name half of one. */
export function guardrailOf({ headers, body }: BedrockRequest): GuardrailIdentity | undefined {
  const { [identifierHeader]: identifier, [versionHeader]: version } = headers
  if (identifier === undefined && version === undefined) {
    if (body[configField] === undefined) return undefined
    throw new ConfigurationError(`The body has ${configField}, but no header names the guardrail`)
  }
  assertGuardrail({ identifier: identifier ?? '', version: version ?? '' })
  return { identifier: identifier as string, version: version as string }
}
