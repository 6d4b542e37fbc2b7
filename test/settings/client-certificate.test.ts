import { createBedrockClient } from 'outcrop'
import { explainSettings } from 'outcrop/settings'
import { loadClientOptions, loadSettings } from 'outcrop/settings/node'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { everythingOf, rejectionOf } from '../credentials/support.ts'
import { type Certificate, createCertificate } from '../node/certificate.ts'
import { type Listening, listen, onRequest, params, response } from '../node/support.ts'
import { useFolder } from './support.ts'

const { path, write, places } = useFolder()

let ofServer: Certificate
let mine: Certificate
let server: Listening
beforeAll(() => {
  ofServer = createCertificate()
  mine = createCertificate('me')
})
afterEach(() => server?.close())

/** A gateway that takes nobody without a certificate, and settings that name one. */
async function load(variables: Record<string, string>) {
  server = await listen((socket) => onRequest(socket, () => socket.write(response())), {
    ...ofServer,
    requestCert: true,
    ca: mine.cert,
  })
  write('.claude/settings.json', {
    env: {
      CLAUDE_CODE_USE_BEDROCK: '1',
      CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1',
      AWS_REGION: 'us-east-1',
      ANTHROPIC_BEDROCK_BASE_URL: `https://localhost:${server.port}`,
      NODE_EXTRA_CA_CERTS: write('ca.pem', ofServer.cert),
      ...variables,
    },
  })
  return loadClientOptions({ ...places(), env: {} })
}

test('a gateway that requires a certificate receives that of the settings', async () => {
  const bedrock = createBedrockClient({
    ...(await load({
      CLAUDE_CODE_CLIENT_CERT: write('me.pem', mine.cert),
      CLAUDE_CODE_CLIENT_KEY: write('me.key', mine.key),
    })),
    retry: false,
  })
  expect(await bedrock.messages.create(params)).toMatchObject({ id: 'msg_1' })
})

test('a gateway that requires a certificate refuses a client without one', async () => {
  const bedrock = createBedrockClient({ ...(await load({})), retry: false })
  await expect(bedrock.messages.create(params)).rejects.toMatchObject({ code: 'connection' })
})

describe('an unusable certificate is a sentence that names the variable and the file, without a secret', () => {
  const good = () => ({ cert: write('me.pem', mine.cert), key: write('me.key', mine.key) })
  test.each<[string, () => Record<string, string>, RegExp]>([
    [
      'a missing file',
      () => ({ CLAUDE_CODE_CLIENT_CERT: path('nowhere.pem'), CLAUDE_CODE_CLIENT_KEY: good().key }),
      /^The file in CLAUDE_CODE_CLIENT_CERT, set in .*settings\.json \(user\), cannot be read: ENOENT$/,
    ],
    [
      'a folder',
      () => ({ CLAUDE_CODE_CLIENT_CERT: good().cert, CLAUDE_CODE_CLIENT_KEY: path() }),
      /^The file in CLAUDE_CODE_CLIENT_KEY, .* cannot be read: it is not a regular file$/,
    ],
    [
      'a certificate without a key',
      () => ({ CLAUDE_CODE_CLIENT_CERT: good().cert }),
      /^CLAUDE_CODE_CLIENT_CERT in .* needs CLAUDE_CODE_CLIENT_KEY as well$/,
    ],
    [
      'a key without a certificate',
      () => ({ CLAUDE_CODE_CLIENT_KEY: good().key }),
      /^CLAUDE_CODE_CLIENT_KEY in .* needs CLAUDE_CODE_CLIENT_CERT as well$/,
    ],
    [
      'the key of another certificate',
      () => ({ CLAUDE_CODE_CLIENT_CERT: write('other.pem', ofServer.cert), CLAUDE_CODE_CLIENT_KEY: good().key }),
      /^CLAUDE_CODE_CLIENT_CERT and CLAUDE_CODE_CLIENT_KEY in .* cannot be used together$/,
    ],
    [
      'a missing file of authorities',
      () => ({
        CLAUDE_CODE_CLIENT_CERT: good().cert,
        CLAUDE_CODE_CLIENT_KEY: good().key,
        NODE_EXTRA_CA_CERTS: path('nowhere.pem'),
      }),
      /NODE_EXTRA_CA_CERTS/,
    ],
    [
      'a file that is not PEM',
      () => ({ CLAUDE_CODE_CLIENT_CERT: good().cert, CLAUDE_CODE_CLIENT_KEY: write('me.key', 'secret-key-example') }),
      /cannot be used together$/,
    ],
  ])('%s', async (_, variables, message) => {
    const given = { CLAUDE_CODE_CLIENT_KEY_PASSPHRASE: 'secret-phrase-example', ...variables() }
    const error = await rejectionOf(load(given))
    expect(error).toMatchObject({ code: 'configuration', message: expect.stringMatching(message) })
    expect(everythingOf(error)).not.toMatch(/secret-(phrase|key)-example|PRIVATE KEY/)
  })
})

test('explainSettings lists them, with the passphrase masked, and a lone passphrase as ignored', async () => {
  const variables = {
    CLAUDE_CODE_CLIENT_CERT: write('me.pem', mine.cert),
    CLAUDE_CODE_CLIENT_KEY: write('me.key', mine.key),
    CLAUDE_CODE_CLIENT_KEY_PASSPHRASE: 'secret-phrase-example',
  }
  await load(variables)
  const told = explainSettings(await loadSettings({ ...places(), env: {} }))
  expect(told.settings).toContainEqual(expect.objectContaining({ key: 'env.CLAUDE_CODE_CLIENT_KEY' }))
  expect(told.ignored).toEqual([])
  expect(String(told)).toContain('env.CLAUDE_CODE_CLIENT_KEY_PASSPHRASE = [set]')
  const { CLAUDE_CODE_CLIENT_KEY_PASSPHRASE } = variables
  write('.claude/settings.json', { env: { CLAUDE_CODE_USE_BEDROCK: '1', CLAUDE_CODE_CLIENT_KEY_PASSPHRASE } })
  expect(explainSettings(await loadSettings({ ...places(), env: {} })).ignored).toMatchObject([
    { key: 'env.CLAUDE_CODE_CLIENT_KEY_PASSPHRASE', because: 'CLAUDE_CODE_CLIENT_KEY is not set' },
  ])
})
