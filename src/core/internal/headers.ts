import { ConfigurationError } from '../errors.ts'
import type { HeadersOption } from '../types.ts'
import type { HttpHeaders } from './http.ts'

/**
 * Tests whether HTTP allows a header value (RFC 9110, section 5.5: visible characters, spaces and tabs) and `fetch` can
 * send it as Latin-1.
 */
export function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
}

/**
 * Merges headers into one record with lower-case names; later ones win.
 *
 * @throws ConfigurationError for an invalid name or value, naming the header but not its value.
 */
export function mergeHeaders(...given: readonly (HeadersOption | undefined)[]): Record<string, string> {
  const merged: Record<string, string> = {}
  for (const headers of given) {
    // Not `instanceof Headers`: on Node, naming that class loads all of undici, a third of the time to a first response.
    const record: Readonly<Record<string, unknown>> =
      typeof headers?.entries === 'function' ? Object.fromEntries(headers.entries()) : { ...headers }
    for (const name in record) {
      const value = record[name]
      if (value === undefined) continue
      if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name))
        throw new ConfigurationError(`Not a header name: ${JSON.stringify(name)}`)
      if (typeof value !== 'string' || !isHeaderValue(value)) {
        throw new ConfigurationError(`The header ${name} has a value that HTTP cannot carry`, {
          hint: 'A header value is one line of Latin-1 text.',
        })
      }
      merged[name.toLowerCase()] = value.trim()
    }
  }
  return merged
}

/** Converts a response's headers to plain data. */
export function headersToRecord(headers: HttpHeaders): Record<string, string> {
  const record: Record<string, string> = {}
  headers.forEach((value, name) => {
    record[name] = value
  })
  return record
}
