// Where credentials come from, and how they are renewed. Runs without AWS, on the embedded fake Bedrock.
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
  // A command that prints keys: `aws configure export-credentials`, a vault, a company's own helper.
  const printed = JSON.stringify({
    Credentials: { AccessKeyId: keys.accessKeyId, SecretAccessKey: keys.secretAccessKey },
  })
  await show('a command that prints keys', fromCommand(node(`console.log(${JSON.stringify(printed)})`)))

  // A session that has ended: Bedrock refuses the keys, the login runs, the call is signed again and repeated.
  const session = join(folder, 'session.json')
  writeFileSync(session, JSON.stringify({ accessKeyId: 'AKIDEXPIRED', secretAccessKey: 'secret-example-expired' }))
  const login = node(`
    import { writeFileSync } from 'node:fs'
    console.log('Open https://device.sso.example.com and enter ABCD-EFGH')
    writeFileSync(${JSON.stringify(session)}, ${JSON.stringify(JSON.stringify(keys))})`)
  const fromSession: CredentialProvider = async () => JSON.parse(readFileSync(session, 'utf8'))
  const onOutput = (line: string): void => console.log(`  login says: ${line}`)
  await show('a login when the session has ended', withAuthRefresh(fromSession, login, { onOutput }))

  // A role in another account. The call to STS takes the client's own fetch, and so its proxy.
  const roleArn = 'arn:aws:iam::123456789012:role/bedrock'
  await show('a role', fromAssumeRole({ credentials: keys, roleArn, sessionName: 'example' }))

  // A short-term API key for a browser or a sandbox: made locally, good for one region and a quarter of an hour.
  const token = await createBedrockApiKey({ credentials: keys, region: fake.region, expiresIn: 900 })
  await show('a short-term API key', fromBearerToken(token))
  const { kind, region } = describeBedrockApiKey(token)
  console.log(`  it is a ${kind} key for ${region}\n`)

  // What a client would use here, and what else is set and passed over.
  const env = { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey }
  console.log(String(await explainCredentials({ env: { ...env, AWS_BEARER_TOKEN_BEDROCK: token } })))
} finally {
  rmSync(folder, { recursive: true, force: true })
}
