import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import type { AwsCredentialIdentity, Identity } from '../core/types.ts'
import { decodeBase64 } from './frames.ts'
import type { ArrivedRequest } from './types.ts'

/** AWS's response to a rejected request. */
export interface Refusal {
  readonly status: number
  readonly type: string
  readonly message: string
  /** AWS's authentication layer writes `Message`. */
  readonly capital?: boolean
}

/** The identity and Region of a request, or the reason to reject it. */
export type Verdict =
  | { readonly identity: Identity; readonly region: string }
  | { readonly refusal: Refusal; readonly region?: string | undefined }

// AWS accepts a clock skew of up to five minutes.
const maxSkew = 300_000

const refuse = (type: string, message: string, region?: string): Verdict => ({
  refusal: { status: 403, type, message },
  region,
})

/**
 * Authenticates a request with AWS's own signer: it signs the received request again, and both signatures must match.
 */
export async function verifySignature(
  request: ArrivedRequest,
  identities: readonly Identity[],
  service: string,
  now: number,
): Promise<Verdict> {
  const { authorization } = request.headers
  if (!authorization)
    return {
      refusal: {
        status: 403,
        type: 'MissingAuthenticationTokenException',
        message: 'Authorization header is missing',
        capital: true,
      },
    }
  if (authorization.startsWith('Bearer ')) return verifyToken(authorization.slice(7), request, identities, now)
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([\da-f]{64})$/.exec(
      authorization,
    )
  if (!match)
    return refuse(
      'IncompleteSignatureException',
      'The Authorization header is not in the form of AWS Signature Version 4',
    )
  const [, keyId, day, region = '', signedFor, signedHeaders = '', signature] = match

  const identity = identities.find(
    (each): each is AwsCredentialIdentity => 'accessKeyId' in each && each.accessKeyId === keyId,
  )
  const { 'x-amz-date': amzDate = '', 'x-amz-security-token': token } = request.headers
  if (!identity || (identity.sessionToken ?? '') !== (token ?? '')) {
    return refuse('UnrecognizedClientException', 'The security token included in the request is invalid.', region)
  }
  if (identity.expiration && identity.expiration.getTime() <= now) {
    return refuse('ExpiredTokenException', 'The security token included in the request is expired', region)
  }
  if (signedFor !== service)
    return refuse('InvalidSignatureException', `Credential should be scoped to correct service: '${service}'.`, region)
  const hostRegion = /\.([a-z]+(?:-[a-z]+)+-\d)\./.exec(request.url.hostname)?.[1]
  if (hostRegion && hostRegion !== region)
    return refuse('InvalidSignatureException', 'Credential should be scoped to a valid region.', region)

  const date = parseAmzDate(amzDate)
  if (!date || !amzDate.startsWith(day ?? ''))
    return refuse('IncompleteSignatureException', 'Date in Credential scope does not match', region)
  if (Math.abs(date.getTime() - now) > maxSkew) {
    const server = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '')
    const what =
      date.getTime() < now
        ? `expired: ${amzDate} is now earlier than ${server}`
        : `not yet current: ${amzDate} is still later than ${server}`
    return refuse('InvalidSignatureException', `Signature ${what} (5 min.)`, region)
  }

  const names = signedHeaders.split(';')
  const mustBeSigned = Object.keys(request.headers).filter(
    (name) => /^x-amzn?-/.test(name) && name !== 'x-amzn-trace-id',
  )
  // The AWS SDK signs HTTP/2's name for the host header.
  const host = names.includes(':authority') ? ':authority' : 'host'
  const missing = [host, ...mustBeSigned].filter((name) => !names.includes(name))
  if (missing.length > 0)
    return refuse(
      'InvalidSignatureException',
      `There were headers present in the request which were not signed: ${missing.join(', ')}`,
      region,
    )

  const signer = new SignatureV4({
    service,
    region,
    credentials: keysOf(identity),
    sha256: Sha256,
    applyChecksum: false,
    uriEscapePath: true,
  })
  const signed = await signer.sign(smithyRequest(request, names), {
    signingDate: date,
    signableHeaders: new Set(names),
  })
  if (!String(signed.headers.authorization).endsWith(`Signature=${signature}`)) {
    return refuse(
      'InvalidSignatureException',
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
      region,
    )
  }
  return { identity, region }
}

function keysOf({ accessKeyId, secretAccessKey, sessionToken }: AwsCredentialIdentity) {
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) }
}

function smithyRequest({ method, url, headers: arrived, body }: ArrivedRequest, names: readonly string[]) {
  const headers: Readonly<Record<string, string | undefined>> = { ':authority': arrived.host, ...arrived }
  const query: Record<string, string | string[]> = {}
  for (const [name, value] of url.searchParams) {
    const known = query[name]
    query[name] = known === undefined ? value : [...(Array.isArray(known) ? known : [known]), value]
  }
  const port = url.port ? { port: Number(url.port) } : {}
  return {
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    ...port,
    path: url.pathname,
    query,
    headers: Object.fromEntries(names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]))),
    body,
  }
}

async function verifyToken(
  token: string,
  request: ArrivedRequest,
  identities: readonly Identity[],
  now: number,
): Promise<Verdict> {
  const region = /\.([a-z]+(?:-[a-z]+)+-\d)\./.exec(request.url.hostname)?.[1]
  const unknown: Verdict = {
    refusal: {
      status: 403,
      type: 'AccessDeniedException',
      message: 'Authentication failed: Please make sure your API Key is valid.',
      capital: true,
    },
    region,
  }
  const expired: Verdict = {
    refusal: { status: 403, type: 'AccessDeniedException', message: 'Bearer Token has expired', capital: true },
    region,
  }
  const known = identities.find((each) => 'token' in each && each.token === token)
  if (known)
    return known.expiration && known.expiration.getTime() <= now ? expired : { identity: known, region: region ?? '' }
  const key = readShortTermKey(token)
  const signer = identities.find(
    (each): each is AwsCredentialIdentity => 'accessKeyId' in each && each.accessKeyId === key?.keyId,
  )
  if (!key || !signer || (region && key.region !== region)) return unknown
  if (now > key.date.getTime() + key.lifetime * 1000) return expired
  const presigner = new SignatureV4({
    service: 'bedrock',
    region: key.region,
    credentials: keysOf(signer),
    sha256: Sha256,
    applyChecksum: false,
    uriEscapePath: true,
  })
  const { hostname } = key
  const presigned = await presigner.presign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname,
      path: '/',
      query: { Action: 'CallWithBearerToken' },
      headers: { host: hostname },
    },
    { signingDate: key.date, expiresIn: key.lifetime },
  )
  if (presigned.query?.['X-Amz-Signature'] !== key.signature) return unknown
  return { identity: { token }, region: key.region }
}

const shortTermPrefix = 'bedrock-api-key-'
/** The maximum lifetime of a short-term key, in seconds. */
const maxLifetime = 43_200

// A short-term key is a presigned URL, which contains its owner, Region and expiration.
function readShortTermKey(token: string) {
  if (!token.startsWith(shortTermPrefix)) return undefined
  const address = decodeBase64(token.slice(shortTermPrefix.length))
  if (address === undefined || !URL.canParse(`https://${address}`)) return undefined
  const { hostname, searchParams } = new URL(`https://${address}`)
  const value = (name: string): string => searchParams.get(name) ?? ''
  const [keyId = '', , region = ''] = value('X-Amz-Credential').split('/')
  const date = parseAmzDate(value('X-Amz-Date'))
  const lifetime = Number(value('X-Amz-Expires'))
  if (value('Action') !== 'CallWithBearerToken' || !date || !(lifetime > 0 && lifetime <= maxLifetime)) return undefined
  return { hostname, keyId, region, date, lifetime, signature: value('X-Amz-Signature') }
}

function parseAmzDate(text: string): Date | undefined {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? []
  const [year, month, day, hour, minute, second] = parts
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(date.getTime()) ? undefined : date
}
