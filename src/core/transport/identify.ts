import { askForIdentity } from '../internal/identity.ts'
import type { Identity } from '../types.ts'
import type { TransportState } from './call.ts'

/** Asks the client's provider for the identity; `undefined` if nothing is signed. @throws CredentialsError */
export function identify(
  { credentials, network, logger }: TransportState,
  region: string,
  signal: AbortSignal | undefined,
  refused?: Identity,
): Promise<Identity | undefined> {
  if (credentials === 'none') return Promise.resolve(undefined)
  return askForIdentity(credentials, {
    signal,
    fetch: network.fetch,
    region,
    logger,
    forceRefresh: refused && true,
    refused,
  })
}
