// By its default: webpack follows what a `createRequire` that is imported by name resolves, and finds nothing.
import nodeModule from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import type { AwsCredentialIdentity } from '../../core/types.ts'

/** AWS's own chain, an optional peer. */
export const packageName = '@aws-sdk/credential-provider-node'

/** What is used of `@aws-sdk/credential-provider-node`. */
export interface CredentialProviderNode {
  readonly defaultProvider: (init: never) => (options: never) => Promise<AwsCredentialIdentity>
}

/**
 * Where AWS's package is: beside this package, else where the program is, else in `folder`.
 *
 * @throws Error with code MODULE_NOT_FOUND
 */
export function locatePackage(folder: string | undefined): string {
  // Never where the program was merely started: that folder may be somebody else's, and importing runs what is in it.
  const places = [ownFile(), process.argv[1], folder && join(folder, 'package.json')].filter(
    (place) => place !== undefined,
  )
  let failure: unknown
  for (const place of places) {
    try {
      return pathToFileURL(nodeModule.createRequire(place).resolve(packageName)).href
    } catch (error) {
      failure ??= error
    }
  }
  throw failure
}

// `import.meta` is not there in CommonJS, and `__filename` not in modules.
function ownFile(): string | undefined {
  const [, frame = ''] = /^ +at (.+)$/m.exec(new Error('').stack ?? '') ?? []
  const [, file] = /(file:\/\/\/.*|\/.*|[A-Z]:\\.*)/.exec(frame.replace(/:\d+:\d+\)?$/, '')) ?? []
  return file
}
