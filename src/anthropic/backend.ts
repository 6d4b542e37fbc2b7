import type { CoreClient } from '../core/client.ts'
import type { InferenceProfile } from '../models/discovery.ts'

/** The client behind the wire: one of `outcrop`, or of `outcrop/core`, which takes full model IDs and lists none. */
export interface AnthropicBackend extends Pick<CoreClient, 'invoke' | 'invokeStream'> {
  readonly messages: Pick<CoreClient['messages'], 'countTokens'>
  readonly models: CoreClient['models'] & {
    list?(): Promise<readonly InferenceProfile[]>
  }
}
