let table: Uint32Array | undefined

// Four tables, to process four bytes per step: part k has the CRC of each byte followed by k zero bytes ("slicing").
function createTable(): Uint32Array {
  const table = new Uint32Array(1024)
  for (let i = 0; i < 1024; i++) {
    let crc = i < 256 ? i : (table[i - 256] as number)
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    table[i] = crc
  }
  return table
}

/** Computes the CRC-32 of the bytes from `start` to `end`, for platforms without a native implementation. */
export function crc32(bytes: Uint8Array, start: number, end: number): number {
  // At first use, because many programs start and end without a stream.
  table ??= createTable()
  const t = table
  let crc = -1
  let i = start
  for (; i + 4 <= end; i += 4) {
    crc ^=
      (bytes[i] as number) |
      ((bytes[i + 1] as number) << 8) |
      ((bytes[i + 2] as number) << 16) |
      ((bytes[i + 3] as number) << 24)
    crc =
      (t[768 + (crc & 255)] as number) ^
      (t[512 + ((crc >>> 8) & 255)] as number) ^
      (t[256 + ((crc >>> 16) & 255)] as number) ^
      (t[crc >>> 24] as number)
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ (t[(crc ^ (bytes[i] as number)) & 255] as number)
  return (crc ^ -1) >>> 0
}
