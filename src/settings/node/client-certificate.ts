import { ConfigurationError, isBedrockError } from '../../core/errors.ts'
import { readTextFile } from '../../credentials/node/read-text-file.ts'
import { createNodeFetch } from '../../node/node-fetch.ts'
import { describeSource, type Setting, type Settings } from '../settings.ts'
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
  const given = cert ?? key
  if (!given) return undefined
  const place = describeSource(given.source)
  if (!cert || !key) {
    throw new ConfigurationError(
      `${cert ? certName : keyName} in ${place} needs ${cert ? keyName : certName} as well`,
      {
        hint: 'Both are paths of PEM files: the certificate with its chain, and its private key.',
      },
    )
  }
  const env = environmentOf(settings)
  const [certificate, privateKey] = await Promise.all([read(certName, cert), read(keyName, key)])
  const passphrase = env.CLAUDE_CODE_CLIENT_KEY_PASSPHRASE
  try {
    return createNodeFetch({ env, cert: certificate, key: privateKey, passphrase })
  } catch (cause) {
    if (!isBedrockError(cause, 'configuration') || cause.message.includes('NODE_EXTRA_CA_CERTS')) throw cause
    throw new ConfigurationError(`${certName} and ${keyName} in ${place} cannot be used together`, {
      cause,
      hint: 'Both must be PEM files, the key must belong to the certificate, and CLAUDE_CODE_CLIENT_KEY_PASSPHRASE must fit.',
    })
  }
}

async function read(name: string, { value, source }: Setting<string>): Promise<string> {
  try {
    return await readTextFile(value)
  } catch (cause) {
    const { message } = cause as Error
    throw new ConfigurationError(`The file in ${name}, set in ${describeSource(source)}, cannot be read: ${message}`, {
      cause,
    })
  }
}
