import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { CredentialsError } from '../../core/errors.ts'
import { type Environment, env as variable } from '../../core/internal/env.ts'
import { parseIni } from './ini.ts'
import { readTextFile } from './read-text-file.ts'

/** The locations of AWS's shared files, and the profile to use. */
export interface SharedFiles {
  /** @default AWS_PROFILE, else `default` */
  readonly profile?: string | undefined
  /** The credentials file. @default AWS_SHARED_CREDENTIALS_FILE, else `~/.aws/credentials` */
  readonly filepath?: string | undefined
  /** The config file. @default AWS_CONFIG_FILE, else `~/.aws/config` */
  readonly configFilepath?: string | undefined
  /**
   * The environment for the defaults, including `HOME`.
   *
   * @default the process's environment
   */
  readonly env?: Environment | undefined
}

/** Returns a profile's own keys, from both files; empty if there is none. */
export async function readProfile(files: SharedFiles): Promise<Readonly<Record<string, string>>> {
  const profile = profileName(files)
  const [config, credentials] = await Promise.all(paths(files).map(async (path) => parseIni(await readOptional(path))))
  return {
    ...config?.[profile === 'default' ? 'default' : `profile ${profile}`],
    ...(profile === 'default' && config?.['profile default']),
    ...credentials?.[profile],
  }
}

/** Returns a string that changes whenever one of the files changes. */
export async function fingerprint(files: SharedFiles): Promise<string> {
  const stamps = await Promise.all(
    paths(files).map((path) =>
      stat(path).then(
        ({ mtimeMs, size, ino }) => `${mtimeMs}/${size}/${ino}`,
        () => '',
      ),
    ),
  )
  return stamps.join()
}

export function profileName({ profile, env }: SharedFiles): string {
  return profile ?? variable('AWS_PROFILE', env) ?? 'default'
}

function paths({ filepath, configFilepath, env }: SharedFiles): string[] {
  const home = variable('HOME', env) ?? homedir()
  const folder = join(home, '.aws')
  return [
    configFilepath ?? variable('AWS_CONFIG_FILE', env) ?? join(folder, 'config'),
    filepath ?? variable('AWS_SHARED_CREDENTIALS_FILE', env) ?? join(folder, 'credentials'),
  ].map((path) => (path.startsWith('~/') ? join(home, path.slice(2)) : path))
}

async function readOptional(path: string): Promise<string> {
  try {
    return await readTextFile(path)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(code ?? '')) return ''
    throw new CredentialsError(`${path} cannot be read: ${message}`, { cause })
  }
}
