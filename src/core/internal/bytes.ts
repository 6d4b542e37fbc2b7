const pairs = /* @__PURE__ */ Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Converts bytes to lower-case hexadecimal. */
export function hex(bytes: Uint8Array): string {
  let text = ''
  // Indexed, because an iterator takes three times as long.
  for (let i = 0; i < bytes.length; i++) text += pairs[bytes[i] as number]
  return text
}
