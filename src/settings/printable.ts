/** Text of a file as one short line: control characters, which a terminal would obey, are spelled out. */
export function printable(text: string, limit = 2048): string {
  const line = text
    .slice(0, limit)
    .replace(
      /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
  return text.length > limit ? `${line}…` : line
}
