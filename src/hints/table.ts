import * as kinds from '../core/internal/error-kinds.ts'

/** What a hint may name. Never holds a secret. */
export interface HintContext {
  /** The model as it was called. */
  readonly model: string
  readonly region: string
  /** Where the credentials came from, in words. */
  readonly source: string
  /** The command that renews the credentials, where one is known. */
  readonly command?: string | undefined
  /** The inference profile through which this model can be called from this region. */
  readonly profile?: string | undefined
  /** What a short-term Bedrock API key says of itself. */
  readonly apiKey?: { readonly region?: string | undefined; readonly expiration?: Date | undefined } | undefined
}

/** What to do about a kind of error. */
export interface HintRow {
  /** The heading in docs/troubleshooting.md, as an anchor. */
  readonly id: string
  readonly kind: kinds.ErrorKind
  /** @param message - what AWS said */
  readonly hint: (context: HintContext, message: string) => string
}

const day = (date: Date): string => `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`

/**
 * What each error of Bedrock means in practice, the more particular ones first.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
 */
export const hintTable: readonly HintRow[] = [
  {
    id: 'on-demand-throughput',
    kind: kinds.onDemandThroughput,
    hint: ({ model, region, profile }) =>
      profile
        ? `${model} is called through an inference profile: use ${profile} in ${region}.`
        : `${model} is called through an inference profile: list those of ${region} with \`aws bedrock list-inference-profiles --region ${region}\`.`,
  },
  {
    id: 'invalid-model-identifier',
    kind: kinds.invalidModel,
    hint: ({ model, region, profile }) =>
      `${region} knows no model or profile ${model}${profile && profile !== model ? `; ${profile} is one for this model there` : ''}. A profile's prefix must fit the region that is called.`,
  },
  {
    id: 'use-case-form',
    kind: kinds.useCaseForm,
    hint: () =>
      "Fill out Anthropic's use case form once for the account: Bedrock console, Chat/Text playground, any Anthropic model. It takes up to 15 minutes to count.",
  },
  {
    id: 'legacy-model',
    kind: kinds.legacyModel,
    hint: ({ model }) =>
      `${model} is a Legacy model, closed to accounts that have not used it lately. Use a newer one.`,
  },
  {
    id: 'retired-model',
    kind: kinds.retiredModel,
    hint: ({ model }) => `${model} has been retired. Use a newer one.`,
  },
  {
    id: 'marketplace-subscription',
    kind: kinds.marketplacePermission,
    hint: ({ model }) =>
      `The first call of ${model} subscribes the account to it. Let a principal with aws-marketplace:Subscribe and aws-marketplace:ViewSubscriptions call it once; after that it takes up to 15 minutes.`,
  },
  {
    id: 'marketplace-subscription',
    kind: kinds.marketplacePending,
    hint: ({ model }) =>
      `The Marketplace subscription of ${model} is still being made, or its payment failed. Try again in 15 minutes, then look at the account's payment method.`,
  },
  {
    id: 'service-control-policy',
    kind: kinds.serviceControlPolicy,
    hint: ({ model }, message) => {
      const [, denied] = /arn:aws[\w-]{0,20}:bedrock:([\w-]{1,32}):/.exec(message) ?? []
      return `A service control policy denies ${denied ? `the region ${denied}` : 'a region'}, which is among those that ${model} may route to. Allow every region of the profile, or use a profile of another geography.`
    },
  },
  {
    id: 'iam-permission',
    kind: kinds.iamPermission,
    hint: ({ model, source }, message) => {
      const [, action = 'a permission'] = /not authorized to perform: ([\w-]{1,64}:\w{1,64})/.exec(message) ?? []
      return `The IAM identity (credentials from ${source}) lacks ${action}. Allow it on the inference profile and on the foundation model in each of its regions: \`npx outcrop iam-policy --models ${model}\` prints the policy.`
    },
  },
  {
    id: 'model-access',
    kind: kinds.modelAccess,
    hint: ({ model, region }) =>
      `The account has no access to ${model} in ${region}. Check Model access in the Bedrock console; if it looks right there, ask AWS Support.`,
  },
  {
    id: 'expired-credentials',
    kind: kinds.expiredCredentials,
    hint: ({ source, command }) =>
      `The credentials from ${source} have expired. ${command ? `Run \`${command}\`.` : 'Renew them.'}`,
  },
  {
    id: 'expired-api-key',
    kind: kinds.expiredApiKey,
    hint: ({ apiKey, source }) =>
      `The Bedrock API key from ${source} ${apiKey?.expiration ? `expired at ${day(apiKey.expiration)}` : 'has expired'}. Make a new one; a short-term key lives for 12 hours at most.`,
  },
  {
    id: 'api-key-region',
    kind: kinds.invalidApiKey,
    hint: ({ apiKey, region, source }) => {
      if (apiKey?.region && apiKey.region !== region) {
        return `The Bedrock API key from ${source} is for ${apiKey.region} and this call went to ${region}. Call ${apiKey.region}, or make a key in ${region}.`
      }
      return `The Bedrock API key from ${source} is wrong, revoked, or made for another region than ${region}.`
    },
  },
  {
    id: 'invalid-credentials',
    kind: kinds.invalidCredentials,
    hint: ({ source }) =>
      `AWS does not know the keys from ${source}. Check all three values; temporary keys need their session token too, and keys of one partition do not work in another.`,
  },
  {
    id: 'clock-skew',
    kind: kinds.wrongClock,
    hint: () => 'The local clock is wrong by more than five minutes. Synchronise it.',
  },
  {
    id: 'signature-mismatch',
    kind: kinds.signatureMismatch,
    hint: ({ source }) =>
      `The secret key from ${source} does not fit its key ID, or something between here and AWS changes the request: a proxy that rewrites the path, the host or a signed header.`,
  },
  {
    id: 'missing-authorization',
    kind: kinds.missingAuthorization,
    hint: () =>
      "The request arrived without a signature: credentials is 'none', or a proxy strips the authorization header.",
  },
  {
    id: 'input-too-long',
    kind: kinds.inputTooLong,
    hint: ({ model }) =>
      `The conversation does not fit into the context window of ${model}. Shorten it; messages.countTokens tells its size.`,
  },
  {
    id: 'api-version',
    kind: kinds.wrongApiVersion,
    hint: ({ model }) =>
      `${model} does not take this anthropic_version; every Claude model takes bedrock-2023-05-31, and those up to 4.6 take no other.`,
  },
  {
    id: 'guardrail-cross-region',
    kind: kinds.guardrailCrossRegion,
    hint: ({ model }) =>
      `${model} is called through a profile that crosses regions, which needs a guardrail that does too: enable cross-Region inference on the guardrail.`,
  },
  {
    id: 'unknown-guardrail',
    kind: kinds.unknownGuardrail,
    hint: ({ region }) =>
      `Check the guardrail's ID and version; it must exist in ${region} and the version must be published, or DRAFT.`,
  },
  {
    id: 'prompt-caching',
    kind: kinds.unsupportedCaching,
    hint: ({ model, region }) => `Prompt caching is not available for ${model} in ${region}. Leave cache_control out.`,
  },
  {
    id: 'unknown-field',
    kind: kinds.invalidBeta,
    hint: ({ model }) =>
      `${model} does not take a field or beta of this request: one of anthropic_beta, and AWS does not say which. Leave out those that the model's card does not list.`,
  },
  {
    id: 'unknown-field',
    kind: [...kinds.unknownField, ...kinds.unsupportedField],
    hint: ({ model }) =>
      `${model} does not take a field or beta of this request, which the message names. Bedrock's schema is older than Anthropic's and differs by model.`,
  },
  {
    id: 'daily-quota',
    kind: kinds.dailyQuota,
    hint: ({ model, region }) =>
      `The day's token quota of ${model} in ${region} is used up. It is not retried; wait, raise the quota, or use another profile.`,
  },
  {
    id: 'throttling',
    kind: kinds.throttling,
    hint: ({ model, region }) =>
      `The account's rate for ${model} in ${region} is used up. Bedrock reserves the whole max_tokens when a call starts, so a smaller max_tokens helps; so does a profile of a wider geography.`,
  },
  {
    id: 'service-quota',
    kind: kinds.serviceQuota,
    hint: ({ region }) => `A quota of the account is reached. Raise it for ${region} in the Service Quotas console.`,
  },
  {
    id: 'model-not-ready',
    kind: kinds.modelNotReady,
    hint: ({ model }) => `${model} is being loaded. Try again in a minute.`,
  },
  {
    id: 'model-timeout',
    kind: kinds.modelTimeout,
    hint: ({ model }) => `${model} took too long. Stream the answer, or ask for less at once.`,
  },
  {
    id: 'model-error',
    kind: kinds.modelError,
    hint: ({ model }) => `The model itself failed (${model}). Try again; if it keeps failing, change the request.`,
  },
  {
    id: 'capacity',
    kind: kinds.capacity,
    hint: ({ region }) =>
      `Bedrock in ${region} is short of capacity, which is not your quota. Try again, or use a profile of a wider geography.`,
  },
  {
    id: 'internal-error',
    kind: kinds.internalError,
    hint: ({ region }) =>
      `Bedrock in ${region} failed, and not because of this request. Try again later; if it keeps failing, give the request ID to AWS Support.`,
  },
  {
    id: 'not-found',
    kind: kinds.notFound,
    hint: ({ model, region }) => `${region} does not have ${model}. Check the ID or ARN and the region.`,
  },
]
