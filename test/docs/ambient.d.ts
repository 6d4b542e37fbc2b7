// Names that pages assume, from an earlier block or from the reader's own code.
import type { Agent } from 'node:http'
import type * as Outcrop from 'outcrop'
import type * as Caching from 'outcrop/caching'
import type * as Credentials from 'outcrop/credentials'
import type * as NodeCredentials from 'outcrop/credentials/node'
import type { CatalogModelResolver } from 'outcrop/models'
import type * as OutcropNode from 'outcrop/node'
import type { FakeBedrock } from 'outcrop/testing'
import type * as Tools from 'outcrop/tools'

declare global {
  const bedrock: Outcrop.BedrockClient
  const params: Outcrop.MessageCreateParamsNonStreaming
  const messages: Outcrop.MessageParam[]
  const body: Outcrop.JsonObject
  const text: string
  const error: unknown
  const models: CatalogModelResolver
  const weather: Tools.RunnableTool
  const [identifier, base]: readonly string[] & [string, string]

  const [token, accessKeyId, secretAccessKey, sessionToken]: [string, string, string, string]
  const provider: Outcrop.CredentialProvider
  const credentials: Outcrop.AwsCredentialIdentity
  const vault: { read(path: string): Promise<Record<'id' | 'secret' | 'token' | 'expires', string>> }

  const fake: FakeBedrock
  const server: { readonly url: string }
  const app: { post(path: string, handler: (request: object, reply: { send(body: string): void }) => unknown): void }
  const ProxyAgent: typeof Agent
  const log: (...values: readonly unknown[]) => void
  const later: (milliseconds: number | undefined) => void
  const partly: (message: Outcrop.AnthropicMessage | undefined) => void

  const createBedrockClient: typeof Outcrop.createBedrockClient
  const isBedrockError: typeof Outcrop.isBedrockError
  const explainCaching: typeof Caching.explainCaching
  const fromNodeProviderChain: typeof NodeCredentials.fromNodeProviderChain
  const fromBearerToken: typeof Credentials.fromBearerToken
  const createBedrockApiKey: typeof Credentials.createBedrockApiKey
  const createNodeFetch: typeof OutcropNode.createNodeFetch
  const runTools: typeof Tools.runTools

  type MessageParam = Outcrop.MessageParam
  type ContentBlockParam = Outcrop.ContentBlockParam
  type DocumentBlockParam = Outcrop.DocumentBlockParam
  type ImageBlockParam = Outcrop.ImageBlockParam
  type JsonObject = Outcrop.JsonObject
  type Middleware = Outcrop.Middleware
  type Tool = Outcrop.Tool
  type ToolResultBlockParam = Outcrop.ToolResultBlockParam
}
