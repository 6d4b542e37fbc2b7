import { Worker } from 'node:worker_threads'
import type { Environment } from '../../core/internal/env.ts'
import type { AwsCredentialIdentity, Logger } from '../../core/types.ts'
import { type CredentialProviderNode, locatePackage } from './credential-provider-node.ts'

/** The chain's options that can be passed to a worker. */
interface Init {
  readonly logger: Logger
  readonly [option: string]: unknown
}

type Message =
  | { readonly level: 'debug' | 'warn'; readonly text: string }
  | { readonly identity: AwsCredentialIdentity }
  | { readonly error: { readonly name: string; readonly message: string } }

// As text, so that it is the same in every bundle.
const program = `
const { parentPort, workerData: { url, init, region } } = require('node:worker_threads')
const forward = (level) => (text) => parentPort.postMessage({ level, text: String(text) })
const ignore = () => {}
const logger = { debug: forward('debug'), warn: forward('warn'), info: ignore, error: ignore, trace: ignore }
import(url)
  .then(({ default: all, defaultProvider = all.defaultProvider }) =>
    defaultProvider({ ...init, logger })({ callerClientConfig: region === undefined ? {} : { region: async () => region } }))
  .then(
    (identity) => parentPort.postMessage({ identity: { ...identity, $source: { ...identity.$source } } }),
    ({ name, message }) => parentPort.postMessage({ error: { name: String(name), message: String(message) } }))
`

/**
 * Runs AWS's chain with a separate environment. The chain and the commands that it starts always read `process.env`,
 * and a worker has its own.
 */
export function chainInWorker(
  env: Environment,
  signal: AbortSignal,
  packageFolder: string | undefined,
): CredentialProviderNode {
  const defaultProvider =
    ({ logger, ...init }: Init) =>
    async ({ callerClientConfig: { region } }: { callerClientConfig: { region?: () => Promise<string> } }) => {
      const workerData = { url: locatePackage(packageFolder), init, region: await region?.() }
      // AWS's package warns about the version of Node, once for each worker.
      const worker = new Worker(program, {
        eval: true,
        env: definedOf(env),
        workerData,
        execArgv: [],
        stdout: true,
        stderr: true,
      })
      signal.addEventListener('abort', () => worker.terminate(), { once: true })
      try {
        return await new Promise<AwsCredentialIdentity>((resolve, reject) => {
          worker.on('message', (message: Message) => {
            if ('level' in message) logger[message.level](message.text)
            else if ('identity' in message) resolve(message.identity)
            else reject(Object.assign(new Error(message.error.message), { name: message.error.name }))
          })
          worker.once('error', reject)
          worker.once('exit', () => reject(new Error("The worker of AWS's credential chain exited without an answer")))
        })
      } finally {
        await worker.terminate()
      }
    }
  return { defaultProvider: defaultProvider as unknown as CredentialProviderNode['defaultProvider'] }
}

/** Tests whether an environment differs from the process's. */
export function differsFromProcess(env: Environment): boolean {
  const names = new Set([...Object.keys(env), ...Object.keys(process.env)])
  return [...names].some((name) => (env[name]?.trim() || undefined) !== (process.env[name]?.trim() || undefined))
}

function definedOf(env: Environment): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined))
}
