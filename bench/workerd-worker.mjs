// Signs in workerd a given number of times. Its clock stands still while code runs, so the time is measured outside.
import { Sha256 } from '@aws-crypto/sha256-js'
import { HttpRequest } from '@smithy/protocol-http'
import { SignatureV4 } from '@smithy/signature-v4'
import { signRequest } from 'outcrop/sigv4'

const identity = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI-EXAMPLE' }
const scope = { region: 'us-east-1', service: 'bedrock' }
const hostname = 'bedrock-runtime.us-east-1.amazonaws.com'
const path = '/model/us.anthropic.claude-sonnet-4-6/invoke'
const headers = { 'content-type': 'application/json', accept: 'application/json' }
const body = new Uint8Array(1000).fill(97)

/** WebCrypto's hash for smithy, instead of sha256-js, as in a hand-wired Worker. */
class WebCryptoSha256 {
  #secret
  #chunks = []
  constructor(secret) {
    this.#secret = secret && bytesOf(secret)
  }
  update(data) {
    this.#chunks.push(bytesOf(data))
  }
  async digest() {
    const data = new Uint8Array(await new Blob(this.#chunks).arrayBuffer())
    if (!this.#secret) return new Uint8Array(await crypto.subtle.digest('SHA-256', data))
    const hmac = { name: 'HMAC', hash: 'SHA-256' }
    const key = await crypto.subtle.importKey('raw', this.#secret, hmac, false, ['sign'])
    return new Uint8Array(await crypto.subtle.sign('HMAC', key, data))
  }
}

function bytesOf(data) {
  return typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data)
}

function smithy(sha256) {
  const signer = new SignatureV4({ credentials: identity, ...scope, sha256 })
  return (date) =>
    signer.sign(
      new HttpRequest({
        method: 'POST',
        protocol: 'https:',
        hostname,
        path,
        headers: { ...headers, host: hostname },
        body,
      }),
      { signingDate: date },
    )
}

const contestants = {
  outcrop: (date) =>
    signRequest({ method: 'POST', url: `https://${hostname}${path}`, headers, body }, { identity, ...scope, date }),
  'smithy + sha256-js': smithy(Sha256),
  'smithy + WebCrypto': smithy(WebCryptoSha256),
}

export default {
  async fetch(request) {
    const { contestant, operations } = await request.json()
    let signed
    // Each request has a new second, as in reality. The day stays, and so does the signing key.
    for (let i = 0; i < operations; i++) signed = await contestants[contestant](new Date(1_790_000_000_000 + i * 1000))
    return new Response(signed.headers.authorization)
  },
}
