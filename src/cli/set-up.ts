import process from 'node:process'
import { defaultCredentials, profileRegion } from '#default-credentials'
import { type BedrockClient, ConfigurationError, createBedrockClient, type CredentialProvider } from 'outcrop'
import { type Flags, text } from './command.ts'

/** What the flags and the surroundings come to. */
export interface SetUp {
  readonly client: BedrockClient
  readonly region: string
  readonly regionSource: string
  readonly credentials: CredentialProvider
  readonly endpoint: string | undefined
}

/** Makes a client of the command line's flags and the environment. @throws ConfigurationError without a region */
export async function setUp(flags: Flags): Promise<SetUp> {
  const profile = text(flags, 'profile')
  // The chain reads the variable, and so do commands that it starts.
  if (profile) process.env.AWS_PROFILE = profile
  const [region, regionSource] = await findRegion(flags)
  const endpoint = text(flags, 'endpoint')
  const credentials = defaultCredentials()
  const client = createBedrockClient({ region, credentials, ...(endpoint && { endpoint }) })
  return { client, region, regionSource, credentials, endpoint }
}

async function findRegion(flags: Flags): Promise<[region: string, source: string]> {
  const flag = text(flags, 'region')
  if (flag) return [flag, '--region']
  for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) {
    const value = process.env[name]?.trim()
    if (value) return [value, name]
  }
  const ofProfile = await profileRegion()
  if (ofProfile) return [ofProfile, `the profile ${process.env.AWS_PROFILE ?? 'default'}`]
  throw new ConfigurationError('No AWS region is set', {
    hint: 'Pass --region, or set AWS_REGION or AWS_DEFAULT_REGION, or a region in the AWS profile.',
  })
}
