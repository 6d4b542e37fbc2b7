import { assertOptions } from '../core/internal/assert-options.ts'
import { ConfigurationError } from '../core/errors.ts'
import { guardrailIdentifierHeader } from '../core/internal/guardrail.ts'
import { isJsonObject } from '../core/internal/json.ts'
import type { BedrockRequest, GuardrailOutcome } from '../core/types.ts'

/** The ID and version of a guardrail. */
export interface GuardrailIdentity {
  /** The guardrail's ID, such as `gr1abc2def3g`, or its ARN. */
  readonly identifier: string
  /** A published version, 1 to 99999999, or `'DRAFT'`. */
  readonly version: string | number
}

/** How a guardrail is applied to calls. */
export interface GuardrailOptions extends GuardrailIdentity {
  /**
   * Whether the response includes what the guardrail found.
   *
   * @default 'disabled', as in Bedrock
   */
  readonly trace?: 'enabled' | 'enabled_full' | 'disabled' | undefined
  /** The suffix of the tags that mark user input in a prompt: letters and digits. Sent in the body. */
  readonly tagSuffix?: string | undefined
  /**
   * Whether a stream waits for the guardrail. `ASYNCHRONOUS` is faster, but may show text before it is blocked.
   *
   * @default 'SYNCHRONOUS', as in Bedrock
   */
  readonly streamProcessingMode?: 'SYNCHRONOUS' | 'ASYNCHRONOUS' | undefined
  /**
   * The reaction to an intervention. `'return'`: the message is returned as sent, and `metadata.guardrail` has the
   * outcome. `'throw'`: rejects with a {@link GuardrailError} as soon as the intervention is seen, in a stream after
   * the events so far. A function is called once with the outcome when the response is complete.
   *
   * @default 'return'
   */
  readonly onIntervention?:
    | 'return'
    | 'throw'
    | ((outcome: GuardrailOutcome, request: BedrockRequest) => void | Promise<void>)
    | undefined
  /**
   * Rejects a response that does not mention the guardrail with a {@link GuardrailError}: something between the client
   * and Bedrock may have dropped the headers that ask for it.
   *
   * @default false
   */
  readonly requireOutcome?: boolean | undefined
  /**
   * Checks the last user turn with ApplyGuardrail before the model is called. If the guardrail intervenes, its text is
   * the answer, and the model is not called.
   *
   * @default false
   */
  readonly guardInput?: boolean | undefined
}

const versionHeader = 'x-amzn-bedrock-guardrailversion'
const traceHeader = 'x-amzn-bedrock-trace'
const configField = 'amazon-bedrock-guardrailConfig'

/** @throws ConfigurationError unless the identifier and version are both present and well-formed. */
export function assertGuardrail({ identifier, version }: Partial<GuardrailIdentity>): void {
  if (!identifier || version === undefined || version === '') {
    throw new ConfigurationError(
      `A guardrail needs an identifier and a version; the ${identifier ? 'version' : 'identifier'} is missing`,
      {
        hint: "Set both, as in { identifier: 'gr1abc2def3g', version: 1 }. One without the other would guard nothing.",
      },
    )
  }
  if (
    typeof identifier !== 'string' ||
    identifier.length > 2048 ||
    !/^([a-z\d]+|arn:aws[\w-]*:bedrock:[a-z\d-]+:\d{12}:guardrail\/[a-z\d]+)$/.test(identifier)
  ) {
    throw new ConfigurationError(`Not a guardrail ID or ARN: ${quote(identifier)}`)
  }
  if (!/^([1-9]\d{0,7}|DRAFT)$/.test(String(version))) {
    throw new ConfigurationError(`Not a guardrail version: ${quote(version)}`, {
      hint: "A version is a whole number from 1 to 99999999, or 'DRAFT'.",
    })
  }
}

/** @throws ConfigurationError for options that can never work. */
export function assertGuardrailOptions(options: GuardrailOptions): void {
  assertOptions(
    options,
    'guardrail',
    'identifier version trace tagSuffix streamProcessingMode onIntervention requireOutcome guardInput',
  )
  assertGuardrail(options)
  const { trace, tagSuffix, streamProcessingMode, onIntervention } = options
  oneOf('trace', trace, ['enabled', 'enabled_full', 'disabled'])
  oneOf('streamProcessingMode', streamProcessingMode, ['SYNCHRONOUS', 'ASYNCHRONOUS'])
  if (typeof onIntervention !== 'function') oneOf('onIntervention', onIntervention, ['return', 'throw'])
  if (tagSuffix !== undefined && !/^[A-Za-z\d]+$/.test(tagSuffix))
    throw new ConfigurationError('tagSuffix may contain only letters and digits')
}

function oneOf(name: string, value: string | undefined, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value)) {
    throw new ConfigurationError(
      `${name} is ${quote(value)}, but must be ${allowed.map((each) => `'${each}'`).join(', ')}`,
    )
  }
}

function quote(value: unknown): string {
  return JSON.stringify(String(value).slice(0, 100))
}

/**
 * Returns the guardrail of a call: the call's own option, merged over the client's (or, without them, over the
 * guardrail in plain headers). `undefined` if there is none, or if the call turns it off.
 *
 * @throws ConfigurationError for a guardrail without an identifier or version, and for invalid options.
 */
export function guardrailOf(request: BedrockRequest, client?: GuardrailOptions): GuardrailOptions | undefined {
  const { headers, body, options } = request
  const change: unknown = options.guardrail
  if (change === false) return undefined
  if (change !== undefined && !isJsonObject(change))
    throw new ConfigurationError('The guardrail option of a call must be an object of options, or false')
  const named = client ?? {
    identifier: headers[guardrailIdentifierHeader],
    version: headers[versionHeader],
  }
  const isNamed = named.identifier !== undefined || named.version !== undefined
  if (change === undefined && !isNamed && body[configField] === undefined) return undefined
  const changes = definedOf(change ?? {}) as Partial<GuardrailOptions>
  // One guardrail's version does not apply to another.
  const isOther = changes.identifier !== undefined && changes.identifier !== named.identifier
  const { identifier, version, ...rest } = { ...named, ...(isOther && { version: undefined }), ...changes }
  if (identifier === undefined && version === undefined) {
    throw new ConfigurationError(
      change === undefined
        ? `The body has ${configField}, but no header names the guardrail`
        : 'The call has guardrail options, but no guardrail',
      { hint: "Pass identifier and version with the call, or add guardrails(...) to the client's middleware." },
    )
  }
  const settled = { ...rest, identifier, version } as GuardrailOptions
  assertGuardrailOptions(settled)
  return settled
}

function definedOf(options: object): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** Adds a guardrail to a request: its name and trace as headers, the rest in the body. Removes the option. */
export function withGuardrail(request: BedrockRequest, guardrail: GuardrailOptions): BedrockRequest {
  const { identifier, version, trace, tagSuffix, streamProcessingMode } = guardrail
  const { [configField]: known, ...body } = request.body
  const config = {
    ...(isJsonObject(known) && known),
    ...(tagSuffix && { tagSuffix }),
    ...(streamProcessingMode && { streamProcessingMode }),
  }
  return {
    ...request,
    options: { ...request.options, guardrail: undefined },
    headers: {
      ...request.headers,
      [guardrailIdentifierHeader]: identifier,
      [versionHeader]: String(version),
      ...(trace && { [traceHeader]: trace.toUpperCase() }),
    },
    body: Object.keys(config).length > 0 ? { ...body, [configField]: config } : body,
  }
}

/** Removes everything that names a guardrail from a request. */
export function withoutGuardrail(request: BedrockRequest): BedrockRequest {
  const {
    [guardrailIdentifierHeader]: _id,
    [versionHeader]: _version,
    [traceHeader]: _trace,
    ...headers
  } = request.headers
  const { [configField]: _config, ...body } = request.body
  return { ...request, options: { ...request.options, guardrail: undefined }, headers, body }
}
