import { ConfigurationError, isBedrockError } from '../../core/errors.ts'
import { readTextFile } from '../../credentials/node/read-text-file.ts'
import { createNodeFetch } from '../../node/node-fetch.ts'
import { describeSource, type Settings } from '../settings.ts'
import { environmentOf } from '../values.ts'

const certName = 'CLAUDE_CODE_CLIENT_CERT'
const keyName = 'CLAUDE_CODE_CLIENT_KEY'

/**
 * A `fetch` that presents the client certificate in the settings, over the same proxies as any other; `undefined` if there
 * is none.
 *
 * @throws ConfigurationError for a file that cannot be read, or that is not a certificate or its key.
 * @see https://code.claude.com/docs/en/network-config
 */
export async function fetchWithCertificate(settings: Settings): Promise<typeof fetch | undefined> {
  const { [certName]: cert, [keyName]: key } = settings.env
  if (!cert && !key) return undefined
  const [here, missing] = cert ? [certName, keyName] : [keyName, certName]
  const source = (cert ?? key)?.source
  if (!cert || !key || !source) {
    throw new ConfigurationError(`${here}${source ? ` in ${describeSource(source)}` : ''} needs ${missing} as well`, {
      hint: 'Both are paths of PEM files: the certificate with its chain, and its private key.',
    })
  }
  const env = environmentOf(settings)
  const [certText, keyText] = await Promise.all([read(certName, settings), read(keyName, settings)])
  const passphrase = env.CLAUDE_CODE_CLIENT_KEY_PASSPHRASE
  try {
    return createNodeFetch({ env, cert: certText, key: keyText, passphrase })
  } catch (cause) {
    if (!isBedrockError(cause, 'configuration')) throw cause
    throw new ConfigurationError(`${certName} and ${keyName} in ${describeSource(source)} cannot be used together`, {
      cause,
      hint: 'Both must be PEM files, the key must belong to the certificate, and CLAUDE_CODE_CLIENT_KEY_PASSPHRASE must fit.',
    })
  }
}

async function read(name: string, { env }: Settings): Promise<string> {
  const { value, source } = env[name] as NonNullable<Settings['env'][string]>
  try {
    return await readTextFile(value)
  } catch (cause) {
    throw new ConfigurationError(
      `The file in ${name}, set in ${describeSource(source)}, cannot be read: ${(cause as Error).message}`,
      { cause },
    )
  }
}
