const identifiers: readonly (readonly [RegExp, string])[] = [
  [/\barn:aws[\w-]*:[^\s"'`,;()<>]+/g, '[ARN]'],
  // Excludes the end of a UUID, which may be twelve digits too.
  [/(?<!\w|[\da-f]{4}-)\d{12}(?!\w)/g, '[account]'],
  [/\bA(?:KIA|SIA|ROA|IDA)[A-Z\d]{12,}\b/g, '[key ID]'],
]

/** Removes ARNs, account IDs and key IDs from AWS's messages, which a gateway's users should not see. */
export function hideIdentifiers(text: string): string {
  return identifiers.reduce((hidden, [shape, name]) => hidden.replace(shape, name), text)
}
