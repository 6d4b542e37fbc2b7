/** The criteria for an AWS error; all that are given must match. */
export interface ErrorSign {
  readonly status?: number
  /** The error type in the response. */
  readonly type?: RegExp
  /**
   * Patterns for the message. AWS's wording changes, so each pattern is the part that stays. Several match in any
   * order.
   */
  readonly message?: RegExp | readonly RegExp[]
}

/** A kind of error, which matches if any of its signs does. */
export type ErrorKind = readonly ErrorSign[]

/** Tests whether an error is of one of these kinds. */
export function isOfKind(
  { status, type, message }: { readonly status?: number; readonly type?: string; readonly message: string },
  ...kinds: readonly ErrorKind[]
): boolean {
  return kinds
    .flat()
    .some(
      (sign) =>
        (sign.status === undefined || sign.status === status) &&
        (sign.type === undefined || sign.type.test(type ?? '')) &&
        [sign.message ?? []].flat().every((pattern) => pattern.test(message)),
    )
}

// The only classification of errors, for hints, retries, refreshing credentials, learning, profiles, prompt caching and
// the doctor. Each kind is a separate export, so that a bundle contains only those that it uses.
// https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html

// Authentication.
export const expiredCredentials: ErrorKind = [
  { type: /^ExpiredToken/ },
  { message: /security token included in the request is expired/i },
]
export const invalidCredentials: ErrorKind = [
  { type: /^(UnrecognizedClient|InvalidClientTokenId)/ },
  { message: /security token included in the request is invalid/i },
]
export const expiredApiKey: ErrorKind = [{ message: /bearer token has expired/i }]
export const invalidApiKey: ErrorKind = [{ message: /make sure your API key is valid/i }]
export const missingAuthorization: ErrorKind = [
  { type: /^MissingAuthentication/ },
  { message: /authorization header is missing/i },
]
export const wrongClock: ErrorKind = [
  { type: /^Request(Expired|InTheFuture|TimeTooSkewed)/ },
  { message: /signature (expired|not yet current)/i },
]
export const signatureMismatch: ErrorKind = [
  { type: /^(InvalidSignature|SignatureDoesNotMatch|IncompleteSignature|AuthFailure)/ },
]

/** The ways in which AWS rejects an identity, apart from its time. */
export const refusedIdentity: readonly ErrorKind[] = [
  expiredCredentials,
  invalidCredentials,
  expiredApiKey,
  invalidApiKey,
  missingAuthorization,
  signatureMismatch,
]

// Authorization.
export const serviceControlPolicy: ErrorKind = [{ message: /explicit deny in a service control policy/ }]
export const iamPermission: ErrorKind = [
  { message: /not authorized to perform: [\w-]{1,64}:\w/ },
  { type: /^NotAuthorized/ },
]
export const modelAccess: ErrorKind = [
  { message: /don.t have access to the model|not authorized to invoke this API operation|operation not allowed/i },
]
export const useCaseForm: ErrorKind = [{ message: /use case details have not been submitted/ }]
export const marketplacePending: ErrorKind = [
  { type: /^MPAgreement/ },
  { message: /subscription for this model|marketplace agreement/i },
]
export const marketplacePermission: ErrorKind = [{ message: /aws-marketplace:(Subscribe|ViewSubscriptions)/i }]

// The model.
export const onDemandThroughput: ErrorKind = [
  // AWS uses two different apostrophes after this.
  { message: /on-demand throughput isn/ },
]
export const invalidModel: ErrorKind = [
  { message: /model identifier is invalid/ },
  { message: /failed to satisfy constraint: Member must satisfy regular expression/ },
]
export const legacyModel: ErrorKind = [
  { message: /marked by provider as Legacy|have not been actively using the model/ },
]
export const retiredModel: ErrorKind = [{ message: /reached the end of its life/ }]
export const notFound: ErrorKind = [{ status: 404 }]

// The request.
export const inputTooLong: ErrorKind = [{ message: /(input|prompt) is too long|exceed context limit/i }]
export const wrongApiVersion: ErrorKind = [{ status: 400, message: /anthropic_version/ }]
export const unsupportedCaching: ErrorKind = [
  { status: 400, message: [/cach(e|ing)/i, /not (available|supported|permitted)|unsupported/i] },
]
export const invalidBeta: ErrorKind = [{ status: 400, message: /invalid beta flag/i }]
export const unknownField: ErrorKind = [{ status: 400, message: /Extra inputs are not permitted/i }]
export const unsupportedField: ErrorKind = [{ message: /does not support|is not supported/i }]
export const uncountable: ErrorKind = [{ message: /count(ing)?.?tokens/i }]
export const guardrailCrossRegion: ErrorKind = [{ message: [/guardrail/i, /cross-?region/i] }]
export const unknownGuardrail: ErrorKind = [{ message: /guardrail/i }]

// Limits and capacity.
export const dailyQuota: ErrorKind = [{ message: /tokens per day/i }]
export const serviceQuota: ErrorKind = [{ type: /^ServiceQuotaExceeded/ }]
export const throttling: ErrorKind = [{ type: /^(Throttling|TooManyRequests|rate_limit_error)/ }]
export const modelNotReady: ErrorKind = [{ type: /^ModelNotReady/ }]
export const modelTimeout: ErrorKind = [{ type: /^ModelTimeout/ }]
export const modelError: ErrorKind = [{ type: /^Model(Stream)?Error/ }]
export const capacity: ErrorKind = [{ type: /^(ServiceUnavailable|overloaded_error)/ }]
export const internalError: ErrorKind = [{ type: /^(Internal(Server|Failure)|api_error)/ }]
