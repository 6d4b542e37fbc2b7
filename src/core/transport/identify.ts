import { askForIdentity, fixedIdentities } from '../internal/identity.ts'
import type { Identity } from '../types.ts'
import type { TransportState } from './call.ts'

/** Gets the identity of the client; `undefined` if nothing is signed. @throws CredentialsError */
export function identify(
  { credentials, network, logger }: TransportState,
  region: string,
  signal: AbortSignal | undefined,
  refused?: Identity,
): Identity | undefined | Promise<Identity> {
  if (credentials === 'none') return undefined
  return (
    fixedIdentities.get(credentials) ??
    askForIdentity(credentials, {
      signal,
      fetch: network.fetch,
      region,
      logger,
      forceRefresh: refused && true,
      refused,
    })
  )
}
