import type { Environment } from '../core/types.ts'

/** PEM as a text or as bytes, or several of them. */
export type Pem = string | Uint8Array | readonly (string | Uint8Array)[]

/** Options of {@link createNodeFetch}. */
export interface NodeFetchOptions {
  /**
   * The HTTP proxy to go through, as in `http://user:password@proxy.example.com:3128`; `false` for none.
   *
   * @default HTTPS_PROXY or HTTP_PROXY, as far as NO_PROXY lets them
   */
  readonly proxy?: string | URL | false | undefined
  /**
   * Environment variables to read in place of the process's own. `NODE_EXTRA_CA_CERTS` counts in them too, which Node
   * reads from the process's own when it starts.
   *
   * @default those of the process
   */
  readonly env?: Environment | undefined
  /** The certificate authorities to trust, in PEM, in place of those that Node comes with. */
  readonly ca?: Pem | undefined
  /** A client's certificate, in PEM, with its chain. */
  readonly cert?: Pem | undefined
  /** The private key of `cert`, in PEM. */
  readonly key?: Pem | undefined
  /** What `key` is encrypted with. */
  readonly passphrase?: string | undefined
  /**
   * An agent of `node:http` or `node:https` that makes the connections, such as proxy-agent's. It decides about proxies,
   * certificates and how long sockets are kept by itself.
   */
  // Structural, as all types of this package: they hold without @types/node.
  readonly agent?: object | undefined
  /** The Unix domain socket to connect to, whatever the URL's host. */
  readonly socketPath?: string | undefined
}
