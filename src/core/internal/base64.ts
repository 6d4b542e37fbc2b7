import { allocateBytes, decodeUtf8 } from '#platform'

const values = /* @__PURE__ */ createValues()

// Reused: its text is read before the next call overwrites it.
let decoded = /* @__PURE__ */ allocateBytes(4096)

/**
 * Decodes the base64 text in `bytes` from `start` to `end` to a string, without an intermediate string, which would
 * take three times as long. Returns `undefined` for invalid base64.
 */
export function decodeBase64Text(bytes: Uint8Array, start: number, end: number): string | undefined {
  const padded = end - start
  if (bytes[end - 1] === 61) end--
  if (bytes[end - 1] === 61) end--
  const rest = (end - start) % 4
  if (rest === 1 || (padded > end - start && padded % 4 !== 0)) return undefined
  // A buffer for one long chunk is not kept for all the short ones.
  const size = ((end - start) >> 2) * 3 + 3
  const out = size <= decoded.length ? decoded : allocateBytes(size)
  if (size > decoded.length && size <= 1_048_576) decoded = out
  const v = values
  let seen = 0
  let at = 0
  for (const whole = end - rest; start < whole; start += 4) {
    const a = v[bytes[start] as number] as number
    const b = v[bytes[start + 1] as number] as number
    const c = v[bytes[start + 2] as number] as number
    const d = v[bytes[start + 3] as number] as number
    seen |= a | b | c | d
    out[at++] = (a << 2) | (b >> 4)
    out[at++] = (b << 4) | (c >> 2)
    out[at++] = (c << 6) | d
  }
  if (rest > 0) {
    const a = v[bytes[start] as number] as number
    const b = v[bytes[start + 1] as number] as number
    const c = rest === 3 ? (v[bytes[start + 2] as number] as number) : 0
    seen |= a | b | c
    out[at++] = (a << 2) | (b >> 4)
    if (rest === 3) out[at++] = (b << 4) | (c >> 2)
  }
  // Six bits each; values above 63 mark invalid characters.
  return seen > 63 ? undefined : decodeUtf8(out, 0, at)
}

function createValues(): Uint8Array {
  const values = new Uint8Array(256).fill(255)
  // A to Z, a to z, 0 to 9, + and /.
  for (let i = 0; i < 64; i++) values[i < 26 ? i + 65 : i < 52 ? i + 71 : i < 62 ? i - 4 : i * 4 - 205] = i
  return values
}
