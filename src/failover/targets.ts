import type { CoreClient } from '../core/client.ts'
import { ConfigurationError } from '../core/errors.ts'
import { assertOptions, describeType } from '../core/internal/assert-options.ts'
import { printable } from '../core/internal/redact.ts'
import { assertRegion } from '../core/internal/region.ts'
import { assertCallOptions } from '../core/options.ts'
import type { CallOptions, RetryOptions } from '../core/types.ts'
import { allowedRegions } from '../models/residency.ts'

/** A target for calls: the unchanged call (`{}`), another model, profile or Region, or another client. */
export interface FailoverTarget {
  /**
   * Its name in metadata and logs: 1 to 100 printable characters.
   *
   * @default its model and Region; else `primary` for the unchanged call, and `target 2` for the second in the list
   */
  readonly name?: string | undefined
  /** The model: any name that the client knows, an ID or an ARN. @default the call's own, by its ID in that Region */
  readonly model?: string | undefined
  /** The Region, with the same client and credentials. @default the client's */
  readonly region?: string | undefined
  /**
   * The client, for another account or endpoint. This client's middleware before `failover` applies; after it, the other
   * client's own does.
   */
  readonly client?: Pick<CoreClient, 'invoke' | 'invokeStream' | 'messages' | 'models'> | undefined
  /** A name for the account of `client`. Targets with the same name share the daily quota of a Region. @default its own */
  readonly account?: string | undefined
  /**
   * Where a call of this target may run: geographies, Regions, or `'anywhere'`. This is your consent to leave the Regions
   * that the call itself may run in. It does not extend the client's own `models.residency`.
   *
   * @default where the call itself may run
   */
  readonly residency?: string | readonly string[] | undefined
  /** Retries at this target. @default the call's own, within `attempts` of `failover` */
  readonly retry?: RetryOptions | false | undefined
  /** Further options, over the call's own, such as the `guardrail` of that Region. */
  readonly options?: Omit<CallOptions, 'signal' | 'retry'> | undefined
}

/** A target with its defaults. */
export interface Target extends FailoverTarget {
  readonly name: string
  /** Whether it is the unchanged call. */
  readonly isOwn: boolean
  /** Where it may run; `undefined` where the call itself may. */
  readonly consent: readonly string[] | 'anywhere' | undefined
}

/** Targets of equal rank. */
export type Tier = readonly Target[]

/** The targets of `failover`: each is a target, the name of a model, or a list of those, which share the conversations. */
export type FailoverTargets = readonly (string | FailoverTarget | readonly (string | FailoverTarget)[])[]

/**
 * Reads the targets, and puts the unchanged call first if it is not in the list.
 *
 * @throws ConfigurationError for invalid targets.
 */
export function readTargets(given: FailoverTargets): readonly Tier[] {
  if (!Array.isArray(given)) throw new ConfigurationError(`targets must be a list, not ${describeType(given)}`)
  if (given.flat().length === 0) throw new ConfigurationError('targets must have at least one target')
  let place = 0
  const tiers = (given as FailoverTargets).map((entry) =>
    [entry].flat().map((target) => readTarget(target as string | FailoverTarget, ++place)),
  )
  if (!tiers.flat().some(({ isOwn }) => isOwn)) tiers.unshift([readTarget({}, 0)])
  const names = new Set<string>()
  for (const { name } of tiers.flat()) {
    if (names.has(name)) {
      throw new ConfigurationError(`Two failover targets are called ${name}`, {
        hint: 'Set a different `name` for each.',
      })
    }
    names.add(name)
  }
  return tiers.filter((tier) => tier.length > 0)
}

function readTarget(given: string | FailoverTarget, place: number): Target {
  const target = typeof given === 'string' ? { model: given } : given
  const path = `targets[${place - 1}]`
  assertOptions(target, path, 'name model region client account residency retry options')
  const { name, model, region, client, account, residency, retry, options = {} } = target
  if (model !== undefined && (typeof model !== 'string' || !model))
    throw new ConfigurationError(`${path}.model must be a name, an ID or an ARN, not ${describeType(model)}`)
  if (region !== undefined) assertRegion(region)
  if (client !== undefined && typeof client?.invoke !== 'function')
    throw new ConfigurationError(`${path}.client must be a client of Outcrop, not ${describeType(client)}`)
  if (client && region !== undefined) {
    throw new ConfigurationError(`${path} has both a client and a Region`, {
      hint: 'Remove the Region, and pass client.withOptions({ region }).',
    })
  }
  if (account !== undefined && !isName(account)) throw new ConfigurationError(`${path}.account ${isNoName}`)
  if (name !== undefined && !isName(name)) throw new ConfigurationError(`${path}.name ${isNoName}`)
  assertOptions(options, `${path}.options`, 'headers timeout guardrail cache', true)
  if ('signal' in options || 'retry' in options)
    throw new ConfigurationError(`${path}.options has no signal, and retry stands beside it`)
  assertCallOptions({ ...options, retry })
  const isOwn = model === undefined && region === undefined && client === undefined
  return {
    ...target,
    isOwn,
    name: name ?? nameOf({ model, region }, isOwn ? 'primary' : `target ${place}`),
    consent: residency === 'anywhere' ? residency : allowedRegions(residency),
  }
}

const isNoName = 'must be 1 to 100 printable characters'

// It is shown in metadata and logs.
function isName(name: unknown): boolean {
  return typeof name === 'string' && /\S/.test(name) && name.length <= 100 && printable(name) === name
}

function nameOf({ model, region }: Pick<FailoverTarget, 'model' | 'region'>, otherwise: string): string {
  const text = [model, region].filter((part) => part !== undefined).join(' in ')
  return printable(text).slice(0, 100) || otherwise
}
