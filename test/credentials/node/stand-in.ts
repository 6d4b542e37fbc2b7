import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FakeBedrock } from 'outcrop/testing'

/** SSO, IMDS and a container's credentials on loopback. Each returns its own keys, which the fake Bedrock accepts. */
export interface StandIn {
  readonly url: string
  /** The requests, as `METHOD path`. */
  readonly requests: string[]
  close(): Promise<void>
}

export async function startStandIn(fake: FakeBedrock): Promise<StandIn> {
  const requests: string[] = []
  const expiration = (): Date => new Date(Date.now() + 3_600_000)
  const issue = (name: string): { accessKeyId: string; secretAccessKey: string; sessionToken: string } => {
    const identity = {
      accessKeyId: `ASIAEXAMPLE${name}`,
      secretAccessKey: `secret-example-${name}-${requests.length}`,
      sessionToken: `session-example-${name}-${requests.length}`,
    }
    fake.identities.unshift(identity)
    return identity
  }
  const answer = (request: IncomingMessage): unknown => {
    const path = request.url ?? ''
    requests.push(`${request.method} ${path}`)
    if (path.startsWith('/federation/credentials')) {
      if (request.headers['x-amz-sso_bearer_token'] !== 'sso-token-example') return undefined
      return { roleCredentials: { ...issue('SSO'), expiration: expiration().getTime() } }
    }
    if (path === '/container') {
      if (request.headers.authorization !== 'container-token-example') return undefined
      const { accessKeyId, secretAccessKey, sessionToken } = issue('CONTAINER')
      return {
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        Token: sessionToken,
        Expiration: expiration().toISOString(),
      }
    }
    if (path === '/latest/api/token') return 'imds-token-example'
    if (path === '/latest/meta-data/iam/security-credentials/') return 'role-example'
    if (path === '/latest/meta-data/iam/security-credentials/role-example') {
      const { accessKeyId, secretAccessKey, sessionToken } = issue('IMDS')
      return {
        Code: 'Success',
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        Token: sessionToken,
        Expiration: expiration().toISOString(),
      }
    }
    return undefined
  }
  const server: Server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    if (request.url?.startsWith('/sts')) {
      requests.push(`${request.method} ${request.url}`)
      const headers = Object.entries(request.headers).filter(([name]) => name !== 'host') as [string, string][]
      const relayed = await fake.fetch(`http://${request.headers.host}${request.url}`, {
        method: 'POST',
        headers,
        body: Buffer.concat(chunks),
      })
      response.writeHead(relayed.status, Object.fromEntries(relayed.headers)).end(await relayed.text())
      return
    }
    const body = answer(request)
    if (body === undefined) response.writeHead(401, { 'content-type': 'application/json' }).end('{"message":"no"}')
    else response.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
