import type { CoreClient } from '../core/client.ts'
import type { InferenceProfile } from '../models/discovery.ts'

/**
 * The client that answers: one of `outcrop`, or one of `outcrop/core`, which takes full model IDs and cannot list
 * models.
 */
export interface AnthropicBackend extends Pick<CoreClient, 'invoke' | 'invokeStream'> {
  readonly messages: Pick<CoreClient['messages'], 'countTokens'>
  readonly models: CoreClient['models'] & {
    list?(): Promise<readonly InferenceProfile[]>
  }
}
