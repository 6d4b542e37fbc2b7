const identifiers: readonly (readonly [RegExp, string])[] = [
  [/\barn:aws[\w-]*:[^\s"'`,;()<>]+/g, '[ARN]'],
  // Not the end of a UUID, which may be twelve digits too.
  [/(?<!\w|[\da-f]{4}-)\d{12}(?!\w)/g, '[account]'],
  [/\bA(?:KIA|SIA|ROA|IDA)[A-Z\d]{12,}\b/g, '[key ID]'],
]

/** Takes ARNs, account IDs and key IDs out of AWS's words: a user of a gateway has no business with them. */
export function hideIdentifiers(text: string): string {
  return identifiers.reduce((hidden, [shape, name]) => hidden.replace(shape, name), text)
}
