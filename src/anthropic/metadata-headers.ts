import { isHeaderValue } from '../core/internal/headers.ts'
import type { ResponseMetadata } from '../core/types.ts'

/**
 * Returns the headers for a response's metadata: its ID, where Anthropic's clients look for it, and the changes made to
 * the request, such as `removed output_config.format`.
 */
export function metadataHeaders({
  requestId,
  adaptations = [],
}: Partial<Pick<ResponseMetadata, 'requestId' | 'adaptations'>>): Record<string, string> {
  // The client chooses the names of betas.
  const changes = adaptations.map(({ action, field }) => `${action} ${field.replace(/[^\x21-\x7e]/g, '?')}`).join(', ')
  return {
    ...(requestId !== undefined && isHeaderValue(requestId) && { 'request-id': requestId }),
    ...(changes && { 'x-outcrop-adaptations': changes.slice(0, 2000) }),
  }
}
