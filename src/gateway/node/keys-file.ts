import { randomUUID } from 'node:crypto'
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { ConfigurationError, isBedrockError } from '../../core/errors.ts'
import { assertOptions } from '../../core/internal/assert-options.ts'
import { createLogger } from '../../core/internal/logger.ts'
import { systemClock } from '../../core/internal/signal.ts'
import type { Clock, Logger } from '../../core/types.ts'
import { type ApiKey, apiKeys, assertApiKey, assertApiKeys, createApiKey, hashApiKey } from '../api-keys.ts'
import type { Authenticate, Caller } from '../caller.ts'

/** A file of keys. */
export interface KeysFile {
  /** For `createGateway`. Changes of the file take effect within a second. */
  readonly authenticate: Authenticate
  /** Resolves to whether the file exists. @throws ConfigurationError if that cannot be determined */
  exists(): Promise<boolean>
  /** Reads the file. @throws ConfigurationError if it is missing, malformed, or writable by others */
  read(): Promise<readonly ApiKey[]>
  /**
   * Adds a caller, and creates the file if necessary. Resolves to the key, which is stored nowhere: the file has its
   * hash.
   *
   * @throws ConfigurationError for an existing ID
   */
  add(caller: Caller): Promise<string>
  /** Removes a caller. @throws ConfigurationError for an unknown one */
  remove(id: string): Promise<void>
}

/** Options of {@link keysFile}. */
export interface KeysFileOptions {
  /** Receives the error if the file cannot be read. @default silent; `OUTCROP_LOG=error` writes to stderr */
  readonly logger?: Logger | undefined
  /** Time, for tests. @default the real time */
  readonly clock?: Clock | undefined
}

// How often the file is checked, in milliseconds.
const lookInterval = 1_000

/**
 * Reads keys from a JSON file: `{ "keys": [{ "id": "alice", "sha256": "…", "models": ["sonnet"] }] }`. It contains only
 * hashes, is created with mode 0600, and is read again when it changes. If a change cannot be read, the previous keys
 * stay valid, and the error is logged.
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
      logger.error(`${path} cannot be read; its previous keys stay valid`, error)
    }
  }

  const write = async (keys: readonly ApiKey[]): Promise<void> => {
    // Written to a temporary file and renamed, so that readers find either the old file or the new one, complete.
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
        throw new ConfigurationError(`A key named ${JSON.stringify(caller.id)} already exists`, {
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
    // Write access means creating keys. Read access is harmless, because the file contains hashes of random bits.
    if (mode & 0o022) {
      throw new ConfigurationError(`Others can write to ${path}, and so create keys`, { hint: `chmod 600 ${path}` })
    }
    return await readFile(path, 'utf8')
  } catch (error) {
    throw isBedrockError(error) ? error : unreadable(path, (error as NodeJS.ErrnoException).code)
  }
}

function unreadable(path: string, code: string | undefined): ConfigurationError {
  const problem = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`
  return new ConfigurationError(`The keys file ${path} ${problem}`, {
    hint: 'outcrop gateway key add NAME creates the file, with a key.',
  })
}

/** @throws ConfigurationError, which quotes nothing from the file, because a key may be in the place of its hash */
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
