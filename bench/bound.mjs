// The lower bound of a call's cost: only the indispensable work, without checks.
import { createHash, createHmac } from 'node:crypto'
import { crc32 } from 'node:zlib'

const sha256 = (data) => createHash('sha256').update(data).digest('hex')
const hmac = (key, data) => createHmac('sha256', key).update(data)

/** Signs for one host and path, with a cached key. */
function signer({ accessKeyId, secretAccessKey }, region, hostname) {
  const keys = new Map()
  const keyOf = (day) => {
    if (!keys.has(day))
      keys.set(
        day,
        [day, region, 'bedrock', 'aws4_request'].reduce(
          (key, part) => hmac(key, part).digest(),
          `AWS4${secretAccessKey}`,
        ),
      )
    return keys.get(day)
  }
  return (path, body) => {
    const date = `${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
    const scope = `${date.slice(0, 8)}/${region}/bedrock/aws4_request`
    const signed = 'accept;content-type;host;x-amz-date'
    const canonical = `POST\n${path}\n\naccept:application/json\ncontent-type:application/json\nhost:${hostname}\nx-amz-date:${date}\n\n${signed}\n${sha256(body)}`
    const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`
    const signature = hmac(keyOf(date.slice(0, 8)), text).digest('hex')
    return {
      accept: 'application/json',
      'content-type': 'application/json',
      'x-amz-date': date,
      authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`,
    }
  }
}

/** Returns a function that sends parameters and resolves to the response. */
export function sendByHand({ identity, region, hostname, path, fetch }) {
  const sign = signer(identity, region, hostname)
  return async ({ model: _, ...params }) => {
    const body = JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', ...params })
    const response = await fetch(`https://${hostname}${path}`, { method: 'POST', headers: sign(path, body), body })
    if (!response.ok) throw new Error(String(response.status))
    return response
  }
}

/** Decodes an event stream, and verifies both checksums of each frame. */
export async function* eventsByHand(chunks) {
  let held = Buffer.alloc(0)
  for await (const chunk of chunks) {
    held = held.length === 0 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat([held, chunk])
    while (held.length >= 16) {
      const length = held.readUInt32BE(0)
      if (held.length < length) break
      const end = length - 4
      if (
        crc32(held.subarray(0, 8)) !== held.readUInt32BE(8) ||
        crc32(held.subarray(0, end)) !== held.readUInt32BE(end)
      )
        throw new Error('a checksum is wrong')
      const { bytes } = JSON.parse(held.toString('utf8', 12 + held.readUInt32BE(4), end))
      yield JSON.parse(Buffer.from(bytes, 'base64').toString())
      held = held.subarray(length)
    }
  }
}
