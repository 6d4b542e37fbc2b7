import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { ConfigurationError, isBedrockError } from '../../core/errors.ts'
import { assertOptions } from '../../core/internal/assert-options.ts'
import { createLogger } from '../../core/internal/logger.ts'
import { systemClock } from '../../core/internal/signal.ts'
import type { Clock, Logger } from '../../core/types.ts'
import { type ApiKey, apiKeys, assertApiKey, assertApiKeys, createApiKey, hashApiKey } from '../api-keys.ts'
import type { Authenticate, Caller } from '../caller.ts'

/** Keys in a file. */
export interface KeysFile {
  /** For `createGateway`. A change of the file counts within a second. */
  readonly authenticate: Authenticate
  /** Whether the file is there. @throws ConfigurationError if that cannot be found out */
  exists(): Promise<boolean>
  /** Reads the file. @throws ConfigurationError for one that is missing, not well-formed, or that others may write to */
  read(): Promise<readonly ApiKey[]>
  /**
   * Adds a caller, and makes the file where there is none. Gives the key, which is kept nowhere: the file has its hash.
   *
   * @throws ConfigurationError for an ID that is taken
   */
  add(caller: Caller): Promise<string>
  /** Takes a caller out. @throws ConfigurationError for one that is not there */
  remove(id: string): Promise<void>
}

/** What {@link keysFile} may be given beside the path. */
export interface KeysFileOptions {
  /** Hears of a file that cannot be read. @default silent; `OUTCROP_LOG=error` writes to stderr */
  readonly logger?: Logger | undefined
  /** Time, for tests. @default the real time */
  readonly clock?: Clock | undefined
}

// How often the file is looked at, in milliseconds.
const lookInterval = 1_000

/**
 * Keys in a JSON file: `{ "keys": [{ "id": "alice", "sha256": "…", "models": ["sonnet"] }] }`. It holds hashes alone, is
 * made with mode 0600, and is read again when it changes. While a change cannot be read, the keys before it count, and
 * the log is told.
 *
 * @example
 * ```ts
 * const keys = keysFile('/etc/outcrop/keys.json')
 * const gateway = createGateway(bedrock, { authenticate: keys.authenticate })
 * ```
 */
export function keysFile(path: string, options: KeysFileOptions = {}): KeysFile {
  assertOptions(options, '', 'logger clock')
  const { clock = systemClock } = options
  const logger = createLogger(options.logger)
  let current: Authenticate | undefined
  let version = ''
  let looked = Number.NEGATIVE_INFINITY

  const read = async (): Promise<readonly ApiKey[]> => parse(await readPrivate(path), path)

  const refresh = async (): Promise<void> => {
    if (current && clock.now() - looked < lookInterval) return
    looked = clock.now()
    try {
      const found = await versionOf(path)
      if (current && found === version) return
      current = apiKeys(await read())
      version = found
    } catch (error) {
      if (!current) throw error
      logger.error(`${path} cannot be read; the keys that it had go on to count`, error)
    }
  }

  const write = async (keys: readonly ApiKey[]): Promise<void> => {
    // Beside it, and then in its place: whoever reads meanwhile finds the old one or the new one, whole.
    const beside = `${path}.${randomUUID()}`
    try {
      await writeFile(beside, `${JSON.stringify({ keys }, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
      await rename(beside, path)
    } finally {
      await rm(beside, { force: true })
    }
  }

  return {
    async authenticate(request) {
      await refresh()
      return current?.(request)
    },
    exists: () => exists(path),
    read,
    async add(caller) {
      const key = createApiKey()
      const added = { ...caller, sha256: await hashApiKey(key) }
      assertApiKey(added, 'caller')
      const keys = (await exists(path)) ? await read() : []
      if (keys.some(({ id }) => id === caller.id)) {
        throw new ConfigurationError(`There is a key named ${JSON.stringify(caller.id)} already`, {
          hint: 'Choose another name, or remove that key first.',
        })
      }
      await write([...keys, added])
      return key
    },
    async remove(id) {
      const keys = await read()
      const left = keys.filter((key) => key.id !== id)
      if (left.length === keys.length) throw new ConfigurationError(`There is no key named ${JSON.stringify(id)}`)
      await write(left)
    },
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ENOENT') return false
      throw unreadable(path, code)
    },
  )
}

async function versionOf(path: string): Promise<string> {
  const { mtimeMs, size, ino } = await stat(path)
  return `${mtimeMs} ${size} ${ino}`
}

async function readPrivate(path: string): Promise<string> {
  try {
    const { mode } = await stat(path)
    // Whoever writes to it makes keys. To read it helps nobody: there are hashes of random bits in it.
    if (mode & 0o022) {
      throw new ConfigurationError(`Others may write to ${path}, and so make keys`, { hint: `chmod 600 ${path}` })
    }
    return await readFile(path, 'utf8')
  } catch (error) {
    throw isBedrockError(error) ? error : unreadable(path, (error as NodeJS.ErrnoException).code)
  }
}

function unreadable(path: string, code: string | undefined): ConfigurationError {
  const problem = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`
  return new ConfigurationError(`The keys file ${path} ${problem}`, {
    hint: 'outcrop gateway key add NAME makes one, and a key in it.',
  })
}

/** @throws ConfigurationError, which quotes nothing of the file: a key may have been put where its hash belongs */
function parse(text: string, path: string): readonly ApiKey[] {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    throw new ConfigurationError(`The keys file ${path} is not JSON`)
  }
  assertOptions(file, path, 'keys')
  const { keys } = file as { keys?: unknown }
  assertApiKeys(keys, `${path}: keys`)
  return keys
}
