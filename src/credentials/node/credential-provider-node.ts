// The default import, because webpack resolves what a named `createRequire` loads, and finds nothing.
import nodeModule from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AwsCredentialIdentity } from '../../core/types.ts'

/** AWS's own chain, an optional peer dependency. */
export const packageName = '@aws-sdk/credential-provider-node'

/** The used part of `@aws-sdk/credential-provider-node`. */
export interface CredentialProviderNode {
  readonly defaultProvider: (init: never) => (options: never) => Promise<AwsCredentialIdentity>
}

/**
 * Locates AWS's package: next to this package, else next to the program, else in `folder`.
 *
 * @throws Error with code MODULE_NOT_FOUND
 */
export function locatePackage(folder: string | undefined): string {
  // Never the working directory: it may belong to somebody else, and importing runs its code.
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

// CommonJS has no `import.meta`, and modules have no `__filename`.
function ownFile(): string | undefined {
  const [, frame = ''] = /^ +at (.+)$/m.exec(new Error('').stack ?? '') ?? []
  const [, file] = /(file:\/\/\/.*|\/.*|[A-Z]:\\.*)/.exec(frame.replace(/:\d+:\d+\)?$/, '')) ?? []
  return file
}
