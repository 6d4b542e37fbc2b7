import { askForIdentity } from '../internal/identity.ts'
import type { Identity } from '../types.ts'
import type { TransportState } from './call.ts'

/** Asks the client's provider who is asking; `undefined` where nothing is to be signed. @throws CredentialsError */
export function identify(
  { credentials, network, logger }: TransportState,
  region: string,
  scope: { readonly signal?: AbortSignal | undefined },
  refused?: Identity,
): Promise<Identity | undefined> {
  if (credentials === 'none') return Promise.resolve(undefined)
  return askForIdentity(credentials, {
    // Made for those who look at it: most have an identity at hand.
    get signal() {
      return scope.signal
    },
    fetch: network.fetch,
    region,
    logger,
    forceRefresh: refused && true,
    refused,
  })
}
