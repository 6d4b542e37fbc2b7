import type { IamPolicy } from 'outcrop/diagnostics'

/** One thing that IAM is asked: an action on a resource, with what is known of the request. */
export interface Authorization {
  readonly action: string
  readonly resource: string
  readonly context?: Readonly<Record<string, string>>
}

/** A small part of IAM: deny beats allow, `*` is a wildcard, four operators. Anything else is an error, not a pass. */
export function isAllowed({ Statement }: IamPolicy, { action, resource, context = {} }: Authorization): boolean {
  const hits = Statement.filter(
    ({ Action, Resource, Condition = {} }) =>
      Action.some((pattern) => matches(pattern, action)) &&
      [Resource].flat().some((pattern) => matches(pattern, resource)) &&
      Object.entries(Condition).every(([operator, keys]) =>
        Object.entries(keys).every(([key, values]) => holds(operator, [values].flat(), context[key])),
      ),
  )
  return hits.some(({ Effect }) => Effect === 'Allow') && !hits.some(({ Effect }) => Effect === 'Deny')
}

function holds(operator: string, values: readonly string[], actual: string | undefined): boolean {
  switch (operator) {
    case 'StringEquals':
      return actual !== undefined && values.includes(actual)
    case 'StringLike':
      return actual !== undefined && values.some((pattern) => matches(pattern, actual))
    // A key that is missing counts as not equal.
    case 'StringNotEquals':
      return actual === undefined || !values.includes(actual)
    case 'StringNotLike':
      return actual === undefined || !values.some((pattern) => matches(pattern, actual))
    default:
      throw new Error(`This evaluator does not know ${operator}`)
  }
}

function matches(pattern: string, value: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 's').test(value)
}

/**
 * Everything that Bedrock asks IAM when a model is invoked: the profile, the model in the Region that is called, the
 * model wherever the call may end up.
 */
export function authorizations(
  action: string,
  call: {
    region: string
    account: string
    base: string
    profile?: string
    destinations?: readonly string[] | undefined
  },
): Authorization[] {
  const { region, account, base, profile, destinations } = call
  const model = (at: string): string => `arn:aws:bedrock:${at}::foundation-model/${base}`
  const requested = { 'aws:RequestedRegion': region }
  if (!profile) return [{ action, resource: model(region), context: requested }]
  const profileArn = profile.startsWith('arn:')
    ? profile
    : `arn:aws:bedrock:${region}:${account}:inference-profile/${profile}`
  const behind = { 'bedrock:InferenceProfileArn': profileArn }
  const isGlobal = destinations === undefined
  return [
    { action, resource: profileArn, context: requested },
    { action, resource: model(region), context: { ...requested, ...behind } },
    ...(isGlobal
      ? [{ action, resource: model(''), context: { 'aws:RequestedRegion': 'unspecified', ...behind } }]
      : destinations.map((at) => ({ action, resource: model(at), context: { ...requested, ...behind } }))),
  ]
}
