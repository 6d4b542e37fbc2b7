import { CredentialsError, isBedrockError } from '../errors.ts'
import { isWholeIdentity } from '../internal/identity.ts'
import { redact } from '../internal/redact.ts'
import { raceSignal } from '../internal/signal.ts'
import type { Identity } from '../types.ts'
import type { TransportState } from './call.ts'

/** Asks the client's provider who is asking; `undefined` where nothing is to be signed. @throws CredentialsError */
export async function identify(
  { credentials, fetch, logger }: TransportState,
  region: string,
  signal: AbortSignal | undefined,
  refused?: Identity,
): Promise<Identity | undefined> {
  if (credentials === 'none') return undefined
  let identity: Identity
  try {
    const refusal = refused && { forceRefresh: true, refused }
    identity = await raceSignal(credentials({ signal, fetch, region, logger, ...refusal }), signal)
  } catch (error) {
    signal?.throwIfAborted()
    if (isBedrockError(error)) throw error
    throw new CredentialsError(`No credentials: ${redact(error instanceof Error ? error.message : String(error))}`, {
      cause: error,
    })
  }
  if (!isWholeIdentity(identity))
    throw new CredentialsError('The credential provider gave neither AWS keys nor a Bedrock API key')
  return identity
}
