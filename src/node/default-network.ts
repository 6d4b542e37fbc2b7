import type { Network } from '../core/internal/http.ts'
import type { Environment } from '../core/types.ts'
import { createNetwork } from './create-network.ts'

// Clients share connections. One with an `env` of its own shares them with those of the same `env`.
const networks = new WeakMap<object, Network>()
const ofProcess = {}

/** What clients without a `fetch` share. */
export function defaultNetwork(env?: Environment): Network {
  const key = env ?? ofProcess
  const network = networks.get(key) ?? createNetwork({ env })
  networks.set(key, network)
  return network
}
