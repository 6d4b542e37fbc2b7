import type { Network } from '../core/internal/http.ts'
import type { Environment } from '../core/types.ts'
import { createNetwork } from './create-network.ts'

// Clients share connections. A client with its own `env` shares them with clients of the same `env`.
const networks = new WeakMap<object, Network>()
const ofProcess = {}

/** Returns the network that clients without a `fetch` share. */
export function defaultNetwork(env?: Environment): Network {
  const key = env ?? ofProcess
  const network = networks.get(key) ?? createNetwork({ env })
  networks.set(key, network)
  return network
}
