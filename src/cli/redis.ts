import { createRequire } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { ConfigurationError } from 'outcrop'
import { type GatewayOptions, redisSpendStore } from 'outcrop/gateway'
import { type IoredisLike, redisLimitStore } from 'outcrop/limits'

interface Ioredis extends IoredisLike {
  on(event: 'error', listener: (error: Error) => void): void
  disconnect(): void
}

/** The stores that several gateways share. */
export interface SharedStores {
  readonly stores: Pick<GatewayOptions, 'limitStore' | 'spendStore'>
  disconnect(): void
}

/** Connects to Redis with ioredis, which must be installed in the working folder or next to this package. */
export async function connectRedis(url: string): Promise<SharedStores> {
  if (!/^rediss?:\/\//.test(url)) {
    throw new ConfigurationError('--redis must be a URL that begins with redis:// or rediss://')
  }
  const Redis = await importIoredis()
  const client = new Redis(url, { maxRetriesPerRequest: 1, enableOfflineQueue: false })
  // The stores report the errors of each call; without a listener, the process would end.
  client.on('error', () => {})
  return {
    stores: { limitStore: redisLimitStore(client), spendStore: redisSpendStore(client) },
    disconnect: () => client.disconnect(),
  }
}

async function importIoredis(): Promise<new (url: string, options: object) => Ioredis> {
  for (const folder of [process.cwd(), import.meta.dirname]) {
    try {
      const path = createRequire(join(folder, 'package.json')).resolve('ioredis')
      const { Redis, default: fallback } = await import(pathToFileURL(path).href)
      return Redis ?? fallback
    } catch {
      // Not found: try the other folder.
    }
  }
  throw new ConfigurationError('--redis needs the package ioredis', { hint: 'Install it: npm install ioredis.' })
}
