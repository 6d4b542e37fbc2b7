import type { CoreClient } from '../core/client.ts'
import { ConfigurationError } from '../core/errors.ts'
import { assertOptions, describeType } from '../core/internal/assert-options.ts'
import { printable } from '../core/internal/redact.ts'
import { assertRegion } from '../core/internal/region.ts'
import { assertCallOptions } from '../core/options.ts'
import type { CallOptions, RetryOptions } from '../core/types.ts'
import { allowedRegions } from '../models/residency.ts'

/** Where a call may go: the call as it is (`{}`), another model, profile or Region, or another client. */
export interface FailoverTarget {
  /**
   * What metadata and logs call it: 1 to 100 printable characters.
   *
   * @default its model and Region; else `primary` for the call as it is, and `target 2` for the second of the list
   */
  readonly name?: string | undefined
  /** The model to call: any name that the client knows, an ID or an ARN. @default the call's own, as it is called there */
  readonly model?: string | undefined
  /** The Region to call it in, with the same client and credentials. @default the client's */
  readonly region?: string | undefined
  /**
   * The client to call it with, for another account or endpoint. Of this client's middleware it has what stands before
   * `failover`; what stands behind it, the other client needs for itself.
   */
  readonly client?: Pick<CoreClient, 'invoke' | 'invokeStream' | 'messages' | 'models'> | undefined
  /** A name of the account that `client` calls: targets with the same one share the daily quota of a Region. @default its own */
  readonly account?: string | undefined
  /**
   * Where a call of this target may run: geographies, Regions, or `'anywhere'`. This is the consent to leave the Regions
   * that the call itself may run in. It widens nothing that `models.residency` of the client forbids.
   *
   * @default where the call itself may run
   */
  readonly residency?: string | readonly string[] | undefined
  /** Retries there, over the call's own. @default the call's own, as far as `attempts` of `failover` goes */
  readonly retry?: RetryOptions | false | undefined
  /** Further options of calls there, over the call's own: the `guardrail` of that Region, say. */
  readonly options?: Omit<CallOptions, 'signal' | 'retry'> | undefined
}

/** A target as `failover` goes by it. */
export interface Target extends FailoverTarget {
  readonly name: string
  /** Whether it is the call as it is. */
  readonly isOwn: boolean
  /** Where it may run, if it says so: the Regions, or `anywhere`. */
  readonly consent: readonly string[] | 'anywhere' | undefined
}

/** Targets that are as good as each other. */
export type Tier = readonly Target[]

/** What {@link readTargets} reads: a target, the name of a model, or a list of those, which share the conversations. */
export type FailoverTargets = readonly (string | FailoverTarget | readonly (string | FailoverTarget)[])[]

/**
 * Reads the list of targets, with the call as it is before all where it is not in the list.
 *
 * @throws ConfigurationError for targets that can never work.
 */
export function readTargets(given: FailoverTargets): readonly Tier[] {
  if (!Array.isArray(given) || given.length === 0)
    throw new ConfigurationError(`targets must be a list of at least one target, not ${describeType(given)}`)
  let place = 0
  const tiers = (given as FailoverTargets).map((entry) =>
    [entry].flat().map((target) => readTarget(target as string | FailoverTarget, ++place)),
  )
  if (!tiers.flat().some(({ isOwn }) => isOwn)) tiers.unshift([readTarget({}, 0)])
  const names = new Set<string>()
  for (const { name } of tiers.flat()) {
    if (names.has(name)) {
      throw new ConfigurationError(`Two failover targets are called ${name}`, {
        hint: 'Give each a `name` of its own.',
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
    throw new ConfigurationError(`${path} has a client and a region; the client has its own`, {
      hint: 'Leave the region out: `client.withOptions({ region })` is a client of another one.',
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

// It ends up in metadata, headers of a gateway and logs.
function isName(name: unknown): boolean {
  return typeof name === 'string' && /\S/.test(name) && name.length <= 100 && printable(name) === name
}

function nameOf({ model, region }: Pick<FailoverTarget, 'model' | 'region'>, otherwise: string): string {
  const text = [model, region].filter((part) => part !== undefined).join(' in ')
  return printable(text).slice(0, 100) || otherwise
}
