import { CredentialsError } from '../../core/errors.ts'
import { readTextFile } from './read-text-file.ts'

/**
 * Reads a token from a file, every time anew, because platforms replace it. For `fromContainerMetadata` and
 * `fromWebIdentity`.
 *
 * @example
 * ```ts
 * const credentials = fromContainerMetadata({ readToken: readTokenFile })
 * ```
 * @throws CredentialsError for a file that cannot be read, is empty, is not a regular file, or is larger than 1 MiB.
 */
export async function readTokenFile(path: string): Promise<string> {
  let token: string
  try {
    token = (await readTextFile(path)).trim()
  } catch (cause) {
    throw new CredentialsError(`The token file ${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
  if (!token) throw new CredentialsError(`The token file ${path} is empty`)
  return token
}
