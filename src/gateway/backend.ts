import type { AnthropicBackend } from '../anthropic/backend.ts'
import type { CoreClient } from '../core/client.ts'

/**
 * The client of a gateway: one of `outcrop`, or one of `outcrop/core`, which takes full model IDs and cannot list
 * models.
 */
export type GatewayBackend = AnthropicBackend & Pick<CoreClient, 'fetch'>
