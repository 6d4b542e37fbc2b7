// FIPS 180-4. The constants are the first 32 bits of the fractions of the primes' cube and square roots: computing them
// takes less room than a table of them.
const constants = new Uint32Array(64)
const initial = new Uint32Array(8)
for (let candidate = 2, count = 0; count < 64; candidate++) {
  let divisor = 2
  while (candidate % divisor !== 0) divisor++
  if (divisor !== candidate) continue
  if (count < 8) initial[count] = candidate ** 0.5 * 2 ** 32
  constants[count++] = candidate ** (1 / 3) * 2 ** 32
}

const schedule = new Uint32Array(64)

/** The SHA-256 digest of short bytes, for platforms without a synchronous native one. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const { length } = bytes
  const padded = new Uint8Array(((length + 72) >> 6) << 6)
  padded.set(bytes)
  padded[length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(padded.length - 8, length / 2 ** 29)
  view.setUint32(padded.length - 4, length << 3)
  const state = initial.slice()
  const w = schedule
  const k = constants
  for (let at = 0; at < padded.length; at += 64) {
    let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number]
    for (let i = 0; i < 64; i++) {
      if (i < 16) {
        w[i] = view.getUint32(at + i * 4)
      } else {
        const x = w[i - 15] as number
        const y = w[i - 2] as number
        w[i] =
          (w[i - 16] as number) +
          (((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)) +
          (w[i - 7] as number) +
          (((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10))
      }
      const t =
        (h +
          (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) +
          ((e & f) ^ (~e & g)) +
          (k[i] as number) +
          (w[i] as number)) |
        0
      const s = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
      const majority = (a & b) ^ (a & c) ^ (b & c)
      h = g
      g = f
      f = e
      e = (d + t) | 0
      d = c
      c = b
      b = a
      a = (t + s + majority) | 0
    }
    state[0] = (state[0] as number) + a
    state[1] = (state[1] as number) + b
    state[2] = (state[2] as number) + c
    state[3] = (state[3] as number) + d
    state[4] = (state[4] as number) + e
    state[5] = (state[5] as number) + f
    state[6] = (state[6] as number) + g
    state[7] = (state[7] as number) + h
  }
  const digest = new DataView(new ArrayBuffer(32))
  for (let i = 0; i < 8; i++) digest.setUint32(i * 4, state[i] as number)
  return new Uint8Array(digest.buffer)
}
