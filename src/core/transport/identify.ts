import { askForIdentity } from '../internal/identity.ts'
import { raceSignal } from '../internal/signal.ts'
import type { Identity } from '../types.ts'
import type { TransportState } from './call.ts'

/** Asks the client's provider who is asking; `undefined` where nothing is to be signed. @throws CredentialsError */
export async function identify(
  { credentials, network, logger }: TransportState,
  region: string,
  signal: AbortSignal | undefined,
  refused?: Identity,
): Promise<Identity | undefined> {
  if (credentials === 'none') return undefined
  const refusal = refused && { forceRefresh: true, refused }
  return raceSignal(askForIdentity(credentials, { signal, fetch: network.fetch, region, logger, ...refusal }), signal)
}
