import { readFile } from 'node:fs/promises'
import { CredentialsError } from '../../core/errors.ts'

/**
 * Reads a token from a file, anew each time: platforms replace it. For `fromContainerMetadata` and `fromWebIdentity`.
 *
 * @example
 * ```ts
 * const credentials = fromContainerMetadata({ readToken: readTokenFile })
 * ```
 * @throws CredentialsError for a file that cannot be read, or is empty.
 */
export async function readTokenFile(path: string): Promise<string> {
  let token: string
  try {
    token = (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    throw new CredentialsError(`The token file ${path} cannot be read: ${(cause as NodeJS.ErrnoException).code}`, {
      cause,
    })
  }
  if (!token) throw new CredentialsError(`The token file ${path} is empty`)
  return token
}
