import { isHeaderValue } from '../core/internal/headers.ts'
import type { ResponseMetadata } from '../core/types.ts'

/**
 * What a response's headers tell: its ID, where Anthropic's clients look for it, and what was changed in the request so
 * that the model takes it, such as `removed output_config.format`.
 */
export function metadataHeaders({
  requestId,
  adaptations = [],
}: Partial<Pick<ResponseMetadata, 'requestId' | 'adaptations'>>): Record<string, string> {
  // The names of betas come from the client.
  const changes = adaptations.map(({ action, field }) => `${action} ${field.replace(/[^\x21-\x7e]/g, '?')}`).join(', ')
  return {
    ...(requestId !== undefined && isHeaderValue(requestId) && { 'request-id': requestId }),
    ...(changes && { 'x-outcrop-adaptations': changes.slice(0, 2000) }),
  }
}
