import * as kinds from '../core/internal/error-kinds.ts'

/** The context of a hint. Never contains a secret. */
export interface HintContext {
  /** The model as it was called. */
  readonly model: string
  readonly region: string
  /** The source of the credentials, in words. */
  readonly source: string
  /** The command that renews the credentials, if known. */
  readonly command?: string | undefined
  /** The inference profile to call this model by in this Region. */
  readonly profile?: string | undefined
  /** The information in a short-term Bedrock API key. */
  readonly apiKey?: { readonly region?: string | undefined; readonly expiration?: Date | undefined } | undefined
}

/** What to do about a kind of error. */
export type HintRow = readonly [
  /** The heading in docs/troubleshooting.md, as an anchor. */
  id: string,
  kind: kinds.ErrorKind,
  /** With `{model}`, `{region}` and `{source}` for those of the context. A function also gets AWS's message. */
  hint: string | ((context: HintContext, message: string) => string),
]

const day = (date: Date): string => `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`

/**
 * Explains each Bedrock error. Specific errors come first.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
 */
export const hintTable: readonly HintRow[] = [
  [
    'on-demand-throughput',
    kinds.onDemandThroughput,
    ({ model, region, profile }) =>
      profile
        ? `${model} needs an inference profile: use ${profile} in ${region}.`
        : `${model} needs an inference profile: list those in ${region} with \`aws bedrock list-inference-profiles --region ${region}\`.`,
  ],
  [
    'invalid-model-identifier',
    kinds.invalidModel,
    ({ model, region, profile }) =>
      `${region} has no model or profile ${model}${profile && profile !== model ? `; use ${profile} for this model there` : ''}. A profile's prefix must match the Region that you call.`,
  ],
  [
    'use-case-form',
    kinds.useCaseForm,
    "Submit Anthropic's use case form once for the account: Bedrock console, Chat/Text playground, any Anthropic model. It takes effect within 15 minutes.",
  ],
  [
    'legacy-model',
    kinds.legacyModel,
    '{model} is a Legacy model, closed to accounts that have not used it recently. Use a newer model.',
  ],
  ['retired-model', kinds.retiredModel, '{model} has been retired. Use a newer model.'],
  [
    'marketplace-subscription',
    kinds.marketplacePermission,
    'The first call to {model} subscribes the account to it. Let a principal with aws-marketplace:Subscribe and aws-marketplace:ViewSubscriptions call it once, then wait up to 15 minutes.',
  ],
  [
    'marketplace-subscription',
    kinds.marketplacePending,
    "The Marketplace subscription for {model} is still being created, or its payment failed. Try again in 15 minutes, then check the account's payment method.",
  ],
  [
    'service-control-policy',
    kinds.serviceControlPolicy,
    ({ model }, message) => {
      const [, denied] = /arn:aws[\w-]{0,20}:bedrock:([\w-]{1,32}):/.exec(message) ?? []
      return `A service control policy denies ${denied ? `the Region ${denied}` : 'a Region'}, which ${model} may route to. Allow every Region of the profile, or use a profile for another geography.`
    },
  ],
  [
    'iam-permission',
    kinds.iamPermission,
    ({ model, source }, message) => {
      const [, action = 'a permission'] = /not authorized to perform: ([\w-]{1,64}:\w{1,64})/.exec(message) ?? []
      return `The IAM identity (credentials from ${source}) lacks ${action}. Allow it on the inference profile and on the foundation model in each of its Regions: \`npx outcrop iam-policy --models ${model}\` prints the policy.`
    },
  ],
  [
    'model-access',
    kinds.modelAccess,
    'The account has no access to {model} in {region}. Check Model access in the Bedrock console. If it is granted there, contact AWS Support.',
  ],
  [
    'expired-credentials',
    kinds.expiredCredentials,
    ({ source, command }) =>
      `The credentials from ${source} have expired. ${command ? `Run \`${command}\`.` : 'Renew them.'}`,
  ],
  [
    'expired-api-key',
    kinds.expiredApiKey,
    ({ apiKey, source }) =>
      `The Bedrock API key from ${source} ${apiKey?.expiration ? `expired at ${day(apiKey.expiration)}` : 'has expired'}. Create a new one; a short-term key is valid for at most 12 hours.`,
  ],
  [
    'api-key-region',
    kinds.invalidApiKey,
    ({ apiKey, region, source }) => {
      if (apiKey?.region && apiKey.region !== region) {
        return `The Bedrock API key from ${source} is for ${apiKey.region}, but this call went to ${region}. Call ${apiKey.region}, or create a key for ${region}.`
      }
      return `The Bedrock API key from ${source} is wrong, revoked, or for another Region than ${region}.`
    },
  ],
  [
    'invalid-credentials',
    kinds.invalidCredentials,
    'AWS does not know the keys from {source}. Check all three values. Temporary keys need their session token, and keys of one partition do not work in another.',
  ],
  ['clock-skew', kinds.wrongClock, 'The local clock is off by more than five minutes. Synchronize it.'],
  [
    'signature-mismatch',
    kinds.signatureMismatch,
    'The secret key from {source} does not match its key ID, or something between you and AWS changes the request: a proxy that rewrites the path, the host or a signed header.',
  ],
  [
    'missing-authorization',
    kinds.missingAuthorization,
    "The request arrived without a signature: credentials is 'none', or a proxy removes the authorization header.",
  ],
  [
    'input-too-long',
    kinds.inputTooLong,
    'The conversation does not fit into the context window of {model}. Shorten it; messages.countTokens returns its size.',
  ],
  [
    'api-version',
    kinds.wrongApiVersion,
    '{model} does not accept this anthropic_version. Every Claude model accepts bedrock-2023-05-31, and those up to 4.6 accept no other.',
  ],
  [
    'guardrail-cross-region',
    kinds.guardrailCrossRegion,
    'The profile for {model} crosses Regions, but the guardrail does not. Enable cross-Region inference on the guardrail.',
  ],
  [
    'unknown-guardrail',
    kinds.unknownGuardrail,
    "Check the guardrail's ID and version. It must exist in {region}, and the version must be published, or DRAFT.",
  ],
  [
    'prompt-caching',
    kinds.unsupportedCaching,
    'Prompt caching is not available for {model} in {region}. Remove cache_control.',
  ],
  [
    'unknown-field',
    kinds.invalidBeta,
    "{model} rejects a beta in anthropic_beta, and AWS does not say which. Remove those that the model's card does not list.",
  ],
  [
    'unknown-field',
    /* @__PURE__ */ kinds.unknownField.concat(kinds.unsupportedField),
    "{model} rejects a field or beta of this request, which the message names. Bedrock's schema is older than Anthropic's and differs by model.",
  ],
  [
    'daily-quota',
    kinds.dailyQuota,
    'The daily token quota for {model} in {region} is used up, so the call is not retried. Wait, raise the quota, or use another profile.',
  ],
  [
    'throttling',
    kinds.throttling,
    "The account's rate limit for {model} in {region} is exceeded. Bedrock reserves the whole max_tokens when a call starts: lower it, or use a profile for a wider geography.",
  ],
  [
    'service-quota',
    kinds.serviceQuota,
    'The account has reached a quota. Raise it for {region} in the Service Quotas console.',
  ],
  ['model-not-ready', kinds.modelNotReady, '{model} is still loading. Try again in a minute.'],
  ['model-timeout', kinds.modelTimeout, '{model} took too long. Stream the answer, or ask for less in one call.'],
  [
    'model-error',
    kinds.modelError,
    'The model itself failed ({model}). Try again. If it keeps failing, change the request.',
  ],
  [
    'capacity',
    kinds.capacity,
    'Bedrock in {region} is short of capacity; your quota is not the cause. Try again, or use a profile for a wider geography.',
  ],
  [
    'internal-error',
    kinds.internalError,
    'Bedrock in {region} failed, and not because of this request. Try again later. If it keeps failing, give the request ID to AWS Support.',
  ],
  ['not-found', kinds.notFound, '{region} does not have {model}. Check the ID or ARN and the Region.'],
]
