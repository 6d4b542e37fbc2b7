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

/** A kind of error and what to do about it. */
export interface HintRow {
  /** The heading in docs/troubleshooting.md, as an anchor. */
  readonly id: string
  /** The AWS name of the error, where the message alone could mean something else. */
  readonly type?: RegExp
  /** What the message has in it. Wording drifts, so each pattern is the part that has stayed. */
  readonly message?: RegExp
  readonly status?: number
  /** What to do; `found` is what `message` matched. */
  readonly hint: (context: HintContext, found: RegExpExecArray | undefined) => string
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
    // AWS writes the apostrophe in two ways.
    message: /on-demand throughput isn/,
    hint: ({ model, region, profile }) =>
      profile
        ? `${model} is called through an inference profile: use ${profile} in ${region}.`
        : `${model} is called through an inference profile: list those of ${region} with \`aws bedrock list-inference-profiles --region ${region}\`.`,
  },
  {
    id: 'invalid-model-identifier',
    message: /model identifier is invalid|failed to satisfy constraint: Member must satisfy regular expression/,
    hint: ({ model, region, profile }) =>
      `${region} knows no model or profile ${model}${profile && profile !== model ? `; ${profile} is one for this model there` : ''}. A profile's prefix must fit the region that is called.`,
  },
  {
    id: 'use-case-form',
    message: /use case details have not been submitted/,
    hint: () =>
      "Fill out Anthropic's use case form once for the account: Bedrock console, Chat/Text playground, any Anthropic model. It takes up to 15 minutes to count.",
  },
  {
    id: 'legacy-model',
    message: /marked by provider as Legacy|have not been actively using the model/,
    hint: ({ model }) =>
      `${model} is a Legacy model, closed to accounts that have not used it lately. Use a newer one.`,
  },
  {
    id: 'retired-model',
    message: /reached the end of its life/,
    hint: ({ model }) => `${model} has been retired. Use a newer one.`,
  },
  {
    id: 'marketplace-subscription',
    type: /MPAgreement/,
    hint: () => 'The Marketplace subscription of this model is still being made. Try again in 15 minutes.',
  },
  {
    id: 'marketplace-subscription',
    message: /aws-marketplace:(Subscribe|ViewSubscriptions)|subscription for this model|Marketplace agreement/i,
    hint: () =>
      'The first call of a model subscribes the account to it. Let a principal with aws-marketplace:Subscribe and aws-marketplace:ViewSubscriptions call it once; after that it takes up to 15 minutes.',
  },
  {
    id: 'service-control-policy',
    message:
      /arn:aws[\w-]*:bedrock:([\w-]*)[^\s]*[\s\S]*explicit deny in a service control policy|explicit deny in a service control policy/,
    hint: ({ model }, found) =>
      `A service control policy denies ${found?.[1] ? `the region ${found[1]}` : 'a region'}, which is among those that ${model} may route to. Allow every region of the profile, or use a profile of another geography.`,
  },
  {
    id: 'iam-permission',
    message: /not authorized to perform: (bedrock:\w+)/,
    hint: ({ model, source }, found) =>
      `The IAM identity (credentials from ${source}) lacks ${found?.[1]}. Allow it on the inference profile and on the foundation model in each of its regions: \`npx outcrop iam-policy --models ${model}\` prints the policy.`,
  },
  {
    id: 'model-access',
    message: /don.t have access to the model|not authorized to invoke this API operation|Operation not allowed/,
    hint: ({ model, region }) =>
      `The account has no access to ${model} in ${region}. Check Model access in the Bedrock console; if it looks right there, ask AWS Support.`,
  },
  {
    id: 'expired-credentials',
    type: /^ExpiredToken|^RequestExpired/,
    hint: ({ source, command }) =>
      `The credentials from ${source} have expired. ${command ? `Run \`${command}\`.` : 'Renew them.'}`,
  },
  {
    id: 'expired-api-key',
    message: /bearer token has expired/i,
    hint: ({ apiKey, source }) =>
      `The Bedrock API key from ${source} ${apiKey?.expiration ? `expired at ${day(apiKey.expiration)}` : 'has expired'}. Make a new one; a short-term key lives for 12 hours at most.`,
  },
  {
    id: 'api-key-region',
    message: /make sure your API key is valid/i,
    hint: ({ apiKey, region, source }) => {
      if (apiKey?.region && apiKey.region !== region) {
        return `The Bedrock API key from ${source} is for ${apiKey.region} and this call went to ${region}. Call ${apiKey.region}, or make a key in ${region}.`
      }
      return `The Bedrock API key from ${source} is wrong, revoked, or made for another region than ${region}.`
    },
  },
  {
    id: 'invalid-credentials',
    type: /^(UnrecognizedClient|InvalidClientTokenId)/,
    hint: ({ source }) =>
      `AWS does not know the keys from ${source}. Check all three values; temporary keys need their session token too, and keys of one partition do not work in another.`,
  },
  {
    id: 'clock-skew',
    message: /Signature (expired|not yet current)/i,
    hint: () => 'The local clock is wrong by more than five minutes. Synchronise it.',
  },
  {
    id: 'signature-mismatch',
    type: /^(InvalidSignature|SignatureDoesNotMatch|IncompleteSignature)/,
    hint: ({ source }) =>
      `The secret key from ${source} does not fit its key ID, or something between here and AWS changes the request: a proxy that rewrites the path, the host or a signed header.`,
  },
  {
    id: 'missing-authorization',
    message: /Authorization header is missing/i,
    hint: () =>
      "The request arrived without a signature: credentials is 'none', or a proxy strips the authorization header.",
  },
  {
    id: 'input-too-long',
    message: /input is too long|prompt is too long|exceed context limit/i,
    hint: ({ model }) =>
      `The conversation does not fit into the context window of ${model}. Shorten it; messages.countTokens tells its size.`,
  },
  {
    id: 'guardrail-cross-region',
    message: /guardrail[\s\S]*cross-?region|cross-?region[\s\S]*guardrail/i,
    hint: () =>
      'A profile that crosses regions needs a guardrail that does too: enable cross-Region inference on the guardrail.',
  },
  {
    id: 'unknown-guardrail',
    message: /guardrail/i,
    hint: ({ region }) =>
      `Check the guardrail's ID and version; it must exist in ${region} and the version must be published, or DRAFT.`,
  },
  {
    id: 'prompt-caching',
    message:
      /cach(e|ing)[\s\S]*(not (available|supported)|unsupported)|cache_control[\s\S]*(not permitted|not supported)/i,
    hint: ({ model, region }) => `Prompt caching is not available for ${model} in ${region}. Leave cache_control out.`,
  },
  {
    id: 'unknown-field',
    message: /Extra inputs are not permitted|invalid beta flag|does not support|is not supported/i,
    hint: ({ model }) =>
      `${model} does not take a field or beta of this request, which the message names. Bedrock's schema is older than Anthropic's and differs by model.`,
  },
  {
    id: 'daily-quota',
    message: /too many tokens per day/i,
    hint: ({ model, region }) =>
      `The day's token quota of ${model} in ${region} is used up. It is not retried; wait, raise the quota, or use another profile.`,
  },
  {
    id: 'throttling',
    type: /^Throttling|^TooManyRequests/,
    hint: ({ model, region }) =>
      `The account's rate for ${model} in ${region} is used up. Bedrock reserves the whole max_tokens when a call starts, so a smaller max_tokens helps; so does a profile of a wider geography.`,
  },
  {
    id: 'service-quota',
    type: /^ServiceQuotaExceeded/,
    hint: () => 'A quota of the account is reached. Raise it in the Service Quotas console.',
  },
  {
    id: 'model-not-ready',
    type: /^ModelNotReady/,
    hint: ({ model }) => `${model} is being loaded. Try again in a minute.`,
  },
  {
    id: 'model-timeout',
    type: /^ModelTimeout/,
    hint: () => 'The model took too long. Stream the answer, or ask for less at once.',
  },
  {
    id: 'model-error',
    type: /^Model(Stream)?Error/,
    hint: () => 'The model itself failed. Try again; if it keeps failing, change the request.',
  },
  {
    id: 'capacity',
    type: /^ServiceUnavailable|^overloaded_error/,
    hint: ({ region }) =>
      `Bedrock in ${region} is short of capacity, which is not your quota. Try again, or use a profile of a wider geography.`,
  },
  {
    id: 'not-found',
    status: 404,
    hint: ({ model, region }) => `${region} does not have ${model}. Check the ID or ARN and the region.`,
  },
]
