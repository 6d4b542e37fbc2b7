import { ConfigurationError } from '../core/errors.ts'
import { assertOptions } from '../core/internal/assert-options.ts'
import { partitionOf } from '../core/internal/partitions.ts'
import { assertRegion } from '../core/internal/region.ts'
import { catalogModel } from '../models/catalog.ts'
import { destinationsOf } from '../models/regions.ts'
import type { ModelRef } from '../core/types.ts'
import type { InferenceProfile } from '../models/discovery.ts'
import { profileFor } from '../models/geography.ts'
import { isFullModelId, parseModelId } from '../core/model-id.ts'

/** A permission beyond calling models. */
export type IamFeature = 'stream' | 'count' | 'discovery' | 'guardrail' | 'marketplace' | 'api-key' | 'quotas'

/** Every {@link IamFeature}. */
export const iamFeatures: readonly IamFeature[] = [
  'stream',
  'count',
  'discovery',
  'guardrail',
  'marketplace',
  'api-key',
  'quotas',
]

/** An application inference profile, whose ARN does not reveal its model. */
export interface OpaqueProfile {
  readonly arn: string
  /** The base model behind it, such as `anthropic.claude-opus-4-6-v1`. */
  readonly base: string
  /**
   * The geography of the profile that it was created from; `undefined` if it was created from the model in its own
   * Region.
   */
  readonly geo?: string | undefined
}

/** Options of {@link iamPolicy}. */
export interface IamPolicyOptions {
  /** The Region to call. For an ARN, its own Region counts. */
  readonly region: string
  /** The account's ID, 12 digits. */
  readonly account: string
  /**
   * Model IDs, inference profile IDs and ARNs, or results of `client.models.resolve`, which include the Region and the
   * model behind an override. An application inference profile that is not in `profiles` needs its base. If it is
   * unknown which profile a resolved one was created from, it gets all destinations of the Region's own geography.
   */
  readonly models: readonly (string | OpaqueProfile | ModelRef)[]
  /** @default ['stream'] */
  readonly features?: readonly IamFeature[] | undefined
  /** The guardrail that every call must use. @default any published version */
  readonly guardrail?: { readonly identifier: string; readonly version?: string | undefined } | undefined
  /** The account's profiles, from `discoverInferenceProfiles`. Their destinations replace the catalog's. */
  readonly profiles?: readonly InferenceProfile[] | undefined
}

/** One statement of a policy. */
export interface IamStatement {
  readonly Sid: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Action: readonly string[]
  readonly Resource: readonly string[] | string
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>
}

/** An IAM policy document. */
export interface IamPolicy {
  readonly Version: '2012-10-17'
  readonly Statement: readonly IamStatement[]
}

/** Where a model's calls may run, and the source of that information. */
export interface IamDestinations {
  readonly model: string
  readonly base: string
  /** Left out for a global profile, which has no list. */
  readonly regions?: readonly string[]
  readonly source: 'discovery' | 'catalog' | 'id'
}

interface Target extends IamDestinations {
  /** The ARN of the profile; left out for a model that is called by its base ID. */
  readonly profile?: string
  readonly partition: string
  readonly region: string
}

/**
 * Creates a least-privilege IAM policy: it allows the inference profiles, and the foundation models in every Region
 * that the profiles may route to. Everything else stays denied.
 *
 * @example
 * ```ts
 * const policy = iamPolicy({
 *   region: 'us-east-1',
 *   account: '123456789012',
 *   models: ['us.anthropic.claude-sonnet-4-6'],
 *   features: ['stream', 'count'],
 * })
 * ```
 * @throws ConfigurationError for a name that is not a full ID, and for an ARN that does not reveal its model.
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions-id.html
 */
export function iamPolicy(options: IamPolicyOptions): IamPolicy {
  assertPolicyOptions(options)
  const { account, features = ['stream'], guardrail } = options
  const region = assertRegion(options.region)
  if (!/^\d{12}$/.test(account)) throw new ConfigurationError('account must be an AWS account ID of 12 digits')
  const unknown = features.find((feature) => !iamFeatures.includes(feature))
  if (unknown !== undefined)
    throw new ConfigurationError(`Unknown feature ${unknown}; known features: ${iamFeatures.join(', ')}`)
  if (features.includes('guardrail') && !guardrail)
    throw new ConfigurationError("The feature 'guardrail' needs the guardrail's identifier")

  const targets = targetsOf(options)
  const partition = partitionOf(region).id
  const has = (feature: IamFeature): boolean => features.includes(feature)
  const statements = [
    ...invokeStatements(targets, has('stream')),
    ...(has('count') ? [countStatement(targets)] : []),
    ...(has('discovery') ? discoveryStatements(targets, partition, region, account) : []),
    ...(guardrail ? guardrailStatements(guardrail, partition, region, account, has('stream')) : []),
    ...(has('api-key') ? [apiKeyStatement] : []),
    ...(has('marketplace') ? [marketplaceStatement] : []),
    ...(has('quotas') ? [quotasStatement] : []),
  ]
  return { Version: '2012-10-17', Statement: statements }
}

/**
 * Returns where the calls of each model may run according to {@link iamPolicy}, and whether the account or the catalog
 * says so.
 *
 * @throws ConfigurationError as {@link iamPolicy} does.
 */
export function iamDestinations(options: IamPolicyOptions): readonly IamDestinations[] {
  assertPolicyOptions(options)
  return targetsOf(options).map(({ model, base, regions, source }) => ({
    model,
    base,
    ...(regions && { regions }),
    source,
  }))
}

/**
 * The policy on the setup page of Claude Code: every model and every profile. It is simple, but far from least
 * privilege.
 *
 * @see https://code.claude.com/docs/en/amazon-bedrock#iam-configuration
 */
export const broadIamPolicy: IamPolicy = {
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'AllowModelAndInferenceProfileAccess',
      Effect: 'Allow',
      Action: ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream', 'bedrock:ListInferenceProfiles'],
      Resource: [
        'arn:aws:bedrock:*:*:inference-profile/*',
        'arn:aws:bedrock:*:*:application-inference-profile/*',
        'arn:aws:bedrock:*:*:foundation-model/*',
      ],
    },
    {
      Sid: 'AllowMarketplaceSubscription',
      Effect: 'Allow',
      Action: ['aws-marketplace:ViewSubscriptions', 'aws-marketplace:Subscribe'],
      Resource: '*',
      Condition: { StringEquals: { 'aws:CalledViaLast': 'bedrock.amazonaws.com' } },
    },
  ],
}

function assertPolicyOptions(options: IamPolicyOptions): void {
  assertOptions(options, '', 'region account models features guardrail profiles')
  if (options.guardrail) assertOptions(options.guardrail, 'guardrail', 'identifier version')
}

function targetsOf({ region, account, models, profiles = [] }: IamPolicyOptions): Target[] {
  if (models.length === 0) throw new ConfigurationError('models is empty: there is nothing to allow')
  return models.map((model) => {
    if (typeof model === 'string') return targetOf(model, { region, account, profiles })
    if ('arn' in model) return opaqueTarget(model, profileOf(profiles, model.arn, region))
    return resolvedTarget(model, { region, account, profiles })
  })
}

function resolvedTarget(
  model: ModelRef,
  { region, ...others }: { region: string; account: string; profiles: readonly InferenceProfile[] },
): Target {
  const { id, base, region: home = region } = model
  if (parseModelId(id).kind !== 'application-inference-profile' || !base)
    return targetOf(id, { region: home, ...others })
  const discovered = profileOf(others.profiles, id, home)
  const geo = parseModelId(profileFor(base, home) ?? '').geo
  return opaqueTarget({ arn: id, base, geo: model.geo ?? geo }, discovered)
}

/** Returns the account's profile of an ID, whose destinations depend on the Region. */
function profileOf(profiles: readonly InferenceProfile[], model: string, region: string): InferenceProfile | undefined {
  return profiles.find(
    ({ id, arn }) => (id === model || arn === model) && (!arn || parseModelId(arn).region === region),
  )
}

function targetOf(
  model: string,
  { region, account, profiles }: { region: string; account: string; profiles: readonly InferenceProfile[] },
): Target {
  if (!isFullModelId(model)) {
    throw new ConfigurationError(`${JSON.stringify(model)} is a name, but policies need IDs`, {
      hint: 'Resolve it first: (await bedrock.models.resolve(name)).id. The command `outcrop iam-policy` does so.',
    })
  }
  const parsed = parseModelId(model)
  const { kind, base, geo, region: home = region, partition = partitionOf(home).id } = parsed
  const discovered = profileOf(profiles, model, home)
  if (kind === 'application-inference-profile') {
    const known = discovered?.base
    if (known) return opaqueTarget({ arn: model, base: known }, discovered)
    throw new ConfigurationError(`${model} does not reveal its model`, {
      hint: "Pass { arn, base, geo }, or the account's own list in `profiles`.",
    })
  }
  if (!base) return { model, base: model, partition, region: home, regions: [home], source: 'id' }
  if (!geo) return { model, base, partition, region: home, regions: [home], source: 'id' }
  const regions = discovered?.regions ?? destinationsFromCatalog(base, geo, home)
  return {
    model,
    base,
    partition,
    region: home,
    profile: `arn:${partition}:bedrock:${home}:${account}:inference-profile/${geo}.${base}`,
    ...(regions && { regions }),
    source: discovered ? 'discovery' : 'catalog',
  }
}

function opaqueTarget({ arn, base, geo }: OpaqueProfile, discovered: InferenceProfile | undefined): Target {
  const { partition, region } = parseModelId(arn)
  if (!partition || !region) throw new ConfigurationError(`${JSON.stringify(arn)} is not the ARN of a profile`)
  const home = { model: arn, base, partition, region, profile: arn }
  if (discovered) return { ...home, ...(discovered.regions && { regions: discovered.regions }), source: 'discovery' }
  if (geo === undefined) return { ...home, regions: [region], source: 'id' }
  const regions = destinationsFromCatalog(base, geo, region)
  return { ...home, ...(regions && { regions }), source: 'catalog' }
}

// `undefined` for global profiles, which run anywhere.
function destinationsFromCatalog(base: string, geo: string, region: string): readonly string[] | undefined {
  if (geo === 'global') return undefined
  const sources = catalogModel(base)?.profiles[geo]
  const regions = destinationsOf(geo, region)
  if (!regions || (sources && !sources.includes(region))) {
    throw new ConfigurationError(`The destinations of ${geo}.${base} from ${region} are unknown`, {
      hint: "Pass the account's own list in `profiles`, from discoverInferenceProfiles.",
    })
  }
  return regions
}

const modelArn = ({ partition, base }: Target, region: string): string =>
  base.startsWith('arn:') ? base : `arn:${partition}:bedrock:${region}::foundation-model/${base}`

// AWS authorizes the profile, which has no condition key, and the model in each Region, which has one.
function invokeStatements(targets: readonly Target[], streams: boolean): IamStatement[] {
  const Action = ['bedrock:InvokeModel', ...(streams ? ['bedrock:InvokeModelWithResponseStream'] : [])]
  const allow = (
    Sid: string,
    Resource: readonly string[],
    StringEquals?: Readonly<Record<string, string | readonly string[]>>,
  ): IamStatement[] => {
    if (Resource.length === 0) return []
    return [
      {
        Sid,
        Effect: 'Allow',
        Action,
        Resource: unique(Resource),
        ...(StringEquals && { Condition: { StringEquals } }),
      },
    ]
  }
  const direct = targets.filter(({ profile }) => !profile)
  const routed = targets.filter(({ profile, regions }) => profile && regions)
  const global = targets.filter(({ profile, regions }) => profile && !regions)
  const profilesOf = (some: readonly Target[]): string[] => unique(some.map(({ profile }) => profile as string))
  const inProfile = (some: readonly Target[]): Record<string, readonly string[]> => ({
    'bedrock:InferenceProfileArn': profilesOf(some),
  })
  const home = { 'aws:RequestedRegion': unique(global.map(({ region }) => region)) }
  return [
    ...allow(
      'Models',
      direct.map((target) => modelArn(target, target.region)),
    ),
    ...allow('Profiles', profilesOf(routed)),
    ...allow(
      'ModelsBehindProfiles',
      routed.flatMap((target) => (target.regions ?? []).map((region) => modelArn(target, region))),
      inProfile(routed),
    ),
    ...allow('GlobalProfiles', profilesOf(global), home),
    ...allow(
      'ModelsBehindGlobalProfiles',
      global.map((target) => modelArn(target, target.region)),
      { ...home, ...inProfile(global) },
    ),
    // The model's ARN without a Region stands for any Region that a global call may run in.
    ...allow(
      'GlobalModels',
      global.map((target) => modelArn(target, '')),
      { 'aws:RequestedRegion': 'unspecified', ...inProfile(global) },
    ),
  ]
}

// Tokens are counted for base models only, even for calls through a profile.
function countStatement(targets: readonly Target[]): IamStatement {
  return {
    Sid: 'CountTokens',
    Effect: 'Allow',
    Action: ['bedrock:CountTokens'],
    Resource: unique(targets.map((target) => modelArn(target, target.region))),
  }
}

function discoveryStatements(
  targets: readonly Target[],
  partition: string,
  region: string,
  account: string,
): IamStatement[] {
  const homes = unique([region, ...targets.map((target) => target.region)])
  return [
    {
      Sid: 'Discovery',
      Effect: 'Allow',
      Action: ['bedrock:ListInferenceProfiles', 'bedrock:GetInferenceProfile'],
      Resource: homes.flatMap((home) => [
        `arn:${partition}:bedrock:${home}:${account}:inference-profile/*`,
        `arn:${partition}:bedrock:${home}:${account}:application-inference-profile/*`,
      ]),
    },
  ]
}

function guardrailStatements(
  { identifier, version }: NonNullable<IamPolicyOptions['guardrail']>,
  partition: string,
  region: string,
  account: string,
  streams: boolean,
): IamStatement[] {
  const arn = identifier.startsWith('arn:')
    ? identifier
    : `arn:${partition}:bedrock:${region}:${account}:guardrail/${identifier}`
  return [
    { Sid: 'Guardrail', Effect: 'Allow', Action: ['bedrock:ApplyGuardrail'], Resource: [arn] },
    {
      // An explicit deny, so that no other policy of the identity can bypass the guardrail.
      Sid: 'NothingWithoutTheGuardrail',
      Effect: 'Deny',
      Action: ['bedrock:InvokeModel', ...(streams ? ['bedrock:InvokeModelWithResponseStream'] : [])],
      Resource: `arn:${partition}:bedrock:*::foundation-model/*`,
      Condition: guardrailCondition(arn, version),
    },
  ]
}

// DRAFT has no version in the key; a published version has its number.
function guardrailCondition(arn: string, version: string | undefined): IamStatement['Condition'] & object {
  if (version === undefined) return { StringNotLike: { 'bedrock:GuardrailIdentifier': `${arn}:*` } }
  return { StringNotEquals: { 'bedrock:GuardrailIdentifier': version === 'DRAFT' ? arn : `${arn}:${version}` } }
}

const apiKeyStatement: IamStatement = {
  Sid: 'ApiKeys',
  Effect: 'Allow',
  Action: ['bedrock:CallWithBearerToken'],
  Resource: '*',
}

// The first call to a model subscribes the account to it, on the caller's behalf.
const marketplaceStatement: IamStatement = {
  Sid: 'Marketplace',
  Effect: 'Allow',
  Action: ['aws-marketplace:ViewSubscriptions', 'aws-marketplace:Subscribe'],
  Resource: '*',
  Condition: { StringEquals: { 'aws:CalledViaLast': 'bedrock.amazonaws.com' } },
}

// Quotas are not resources.
const quotasStatement: IamStatement = {
  Sid: 'Quotas',
  Effect: 'Allow',
  Action: ['servicequotas:ListServiceQuotas'],
  Resource: '*',
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)]
}
