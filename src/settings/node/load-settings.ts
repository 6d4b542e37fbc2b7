import { readdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { ConfigurationError, isBedrockError } from '../../core/errors.ts'
import { assertOptions } from '../../core/internal/assert-options.ts'
import type { Environment } from '../../core/internal/env.ts'
import type { JsonValue } from '../../core/types.ts'
import { readTextFile } from '../../credentials/node/read-text-file.ts'
import { mergeSettings } from '../merge.ts'
import { settingsFromEnvironment, settingsFromFile } from '../parse.ts'
import { printable } from '../printable.ts'
import type { Settings, SettingSource } from '../settings.ts'

/** Where {@link loadSettings} looks. */
export interface LoadSettingsOptions {
  /** The project's folder. @default the process's working directory */
  readonly cwd?: string | undefined
  /** @default the user's home */
  readonly home?: string | undefined
  /** Never changed. @default the process's environment */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Another settings file, as in `--settings`. */
  readonly settingsFile?: string | undefined
  /**
   * Whether commands and variables in the project's files (`.claude/settings.json`, `.claude/settings.local.json`)
   * apply. Opening a cloned repository must not run anything.
   *
   * @default false
   */
  readonly trustProject?: boolean | undefined
  /** The folder of `managed-settings.json` and `managed-settings.d`. @default the system's */
  readonly managedDirectory?: string | undefined
  /** Called for a file that cannot be used, which is then passed over. @default the error is thrown */
  readonly onError?: ((error: ConfigurationError) => void) | undefined
}

/** The names of {@link LoadSettingsOptions}. */
export const loadSettingsOptionNames = 'cwd home env settingsFile trustProject managedDirectory onError'

const managedDirectories: Readonly<Partial<Record<NodeJS.Platform, string>>> = {
  darwin: '/Library/Application Support/ClaudeCode',
  win32: 'C:\\Program Files\\ClaudeCode',
}

/**
 * Reads the settings of Claude Code, in ascending order of precedence: the environment, the user's file, the project's,
 * the project's local file, a file given by name, and managed files. Missing files are skipped.
 *
 * @example
 * ```ts
 * const settings = await loadSettings({ trustProject: true })
 * ```
 * @throws ConfigurationError for broken JSON, with file, line and column; for values of the wrong kind; and for
 *   anything but a regular file of at most 1 MiB.
 * @see https://code.claude.com/docs/en/settings
 */
export async function loadSettings(options: LoadSettingsOptions = {}): Promise<Settings> {
  assertOptions(options, '', loadSettingsOptionNames)
  const { cwd = process.cwd(), settingsFile, trustProject = false, onError } = options
  // AWS's files are in the same home, for its chain and for every command.
  const env: Environment = {
    ...(options.env ?? process.env),
    ...(options.home && { HOME: options.home, USERPROFILE: options.home }),
  }
  const home = env.HOME ?? homedir()
  const managed = options.managedDirectory ?? managedDirectories[process.platform] ?? '/etc/claude-code'
  const userFile = resolve(env.CLAUDE_CONFIG_DIR?.trim() || join(home, '.claude'), 'settings.json')
  const projectFile = resolve(cwd, '.claude', 'settings.json')
  const files: (SettingSource & {
    readonly path: string
    readonly isTrusted: boolean
    readonly isRequired?: boolean
  })[] = [
    { kind: 'user', path: userFile, isTrusted: true },
    // In the home folder, the user's own file does not belong to a project.
    ...(projectFile === userFile ? [] : [{ kind: 'project' as const, path: projectFile, isTrusted: trustProject }]),
    { kind: 'local', path: join(cwd, '.claude', 'settings.local.json'), isTrusted: trustProject },
    ...(settingsFile ? [{ kind: 'flag' as const, path: settingsFile, isTrusted: true, isRequired: true }] : []),
    { kind: 'managed', path: join(managed, 'managed-settings.json'), isTrusted: true },
    ...(await dropIns(managed)).map((path) => ({ kind: 'managed' as const, path, isTrusted: true })),
  ]
  const layers = await Promise.all(
    files.map(async ({ kind, path, isTrusted, isRequired = false }) => {
      try {
        const document = await readDocument(path, isRequired)
        if (document !== undefined) return settingsFromFile(document, { kind, path }, isTrusted)
      } catch (error) {
        if (!onError || !isBedrockError(error, 'configuration')) throw error
        onError(error)
      }
      return { env: {} }
    }),
  )
  return mergeSettings(settingsFromEnvironment(env), ...layers)
}

async function dropIns(managed: string): Promise<string[]> {
  const folder = join(managed, 'managed-settings.d')
  const names = await readdir(folder).catch(() => [])
  return names
    .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    .sort()
    .map((name) => join(folder, name))
}

async function readDocument(path: string, isRequired: boolean): Promise<JsonValue | undefined> {
  let text: string
  try {
    text = await readTextFile(path)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (!isRequired && (code === 'ENOENT' || code === 'ENOTDIR')) return undefined
    throw new ConfigurationError(`${printable(path)} cannot be read: ${message}`, { cause })
  }
  const content = text.replace(/^\uFEFF/, '')
  if (!content.trim()) return undefined
  try {
    return JSON.parse(content) as JsonValue
  } catch (error) {
    // The parser's own message would quote the file, including its secrets.
    throw new ConfigurationError(`${printable(path)}:${placeOf(error as Error, content)} is not JSON`, {
      hint: 'Look for a missing or extra comma, quote or brace there.',
    })
  }
}

/** `line:column`, counted from 1. */
function placeOf({ message }: Error, text: string): string {
  const before = text.slice(0, faultIn(message, text)).split('\n')
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`
}

// Some messages name no position: an unexpected end, and on Node 20 any fault in a short text.
function faultIn(message: string, text: string): number {
  const position = /position (\d+)/.exec(message)?.[1]
  if (position !== undefined) return Number(position)
  const token = /Unexpected token '?(.)'?,/.exec(message)?.[1]
  const at = token === undefined ? -1 : text.indexOf(token)
  return at < 0 ? text.length : at
}
