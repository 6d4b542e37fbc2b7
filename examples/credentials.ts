// Sources of credentials, and how they are renewed. Runs on the embedded fake Bedrock.
//
//   npm run build && npx tsx examples/credentials.ts
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AwsCredentialIdentity, type CredentialProvider, createBedrockClient } from 'outcrop'
import { createBedrockApiKey, describeBedrockApiKey, fromAssumeRole, fromBearerToken } from 'outcrop/credentials'
import { explainCredentials, fromCommand, withAuthRefresh } from 'outcrop/credentials/node'
import { createFakeBedrock } from 'outcrop/testing'

const keys: AwsCredentialIdentity = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example' }
const fake = createFakeBedrock({ region: 'us-east-1', identities: [keys] })
const folder = mkdtempSync(join(tmpdir(), 'outcrop-credentials-'))
const node = (code: string): string => {
  const file = join(folder, `command-${Math.random()}.mjs`)
  writeFileSync(file, code)
  return `"${process.execPath}" "${file}"`
}

async function show(title: string, credentials: CredentialProvider): Promise<void> {
  const before = fake.calls.length
  const bedrock = createBedrockClient({ region: fake.region, credentials, fetch: fake.fetch })
  await bedrock.messages.create({ model: 'sonnet', max_tokens: 64, messages: [{ role: 'user', content: 'Hello!' }] })
  const calls = fake.calls.slice(before).map(({ operation, status }) => `${operation} ${status}`)
  console.log(`${title.padEnd(34)} ${calls.join(', ')}`)
}

try {
  // A command that prints keys, such as `aws configure export-credentials`, a vault's client or a company's own helper.
  const printed = JSON.stringify({
    Credentials: { AccessKeyId: keys.accessKeyId, SecretAccessKey: keys.secretAccessKey },
  })
  await show('a command that prints keys', fromCommand(node(`console.log(${JSON.stringify(printed)})`)))

  // An expired session: Bedrock refuses the keys, the login runs, and the call is signed again and replayed.
  const session = join(folder, 'session.json')
  writeFileSync(session, JSON.stringify({ accessKeyId: 'AKIDEXPIRED', secretAccessKey: 'secret-example-expired' }))
  const login = node(`
    import { writeFileSync } from 'node:fs'
    console.log('Open https://device.sso.example.com and enter ABCD-EFGH')
    writeFileSync(${JSON.stringify(session)}, ${JSON.stringify(JSON.stringify(keys))})`)
  const fromSession: CredentialProvider = async () => JSON.parse(readFileSync(session, 'utf8'))
  const onOutput = (line: string): void => console.log(`  login: ${line}`)
  await show('a login for an expired session', withAuthRefresh(fromSession, login, { onOutput }))

  // A role in another account. The call to STS uses the client's own fetch, and so its proxy.
  const roleArn = 'arn:aws:iam::123456789012:role/bedrock'
  await show('a role', fromAssumeRole({ credentials: keys, roleArn, sessionName: 'example' }))

  // A short-term API key for a browser or a sandbox: created locally, valid for one Region and 15 minutes.
  const token = await createBedrockApiKey({ credentials: keys, region: fake.region, expiresIn: 900 })
  await show('a short-term API key', fromBearerToken(token))
  const { kind, region } = describeBedrockApiKey(token)
  console.log(`  a ${kind} key for ${region}\n`)

  // The source that a client would use here, and the ones that it would skip.
  const env = { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey }
  console.log(String(await explainCredentials({ env: { ...env, AWS_BEARER_TOKEN_BEDROCK: token } })))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
