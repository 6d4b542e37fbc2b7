import type { AnthropicBackend } from '../anthropic/backend.ts'
import type { CoreClient } from '../core/client.ts'

/** The client behind a gateway: one of `outcrop`, or of `outcrop/core`, which takes full model IDs and lists none. */
export type GatewayBackend = AnthropicBackend & Pick<CoreClient, 'fetch'>
