import type { Environment } from '../core/types.ts'

/** One or more PEM documents, as text or bytes. */
export type Pem = string | Uint8Array | readonly (string | Uint8Array)[]

/** Options of {@link createNodeFetch}. */
export interface NodeFetchOptions {
  /**
   * The HTTP proxy, such as `http://user:password@proxy.example.com:3128`; `false` for none.
   *
   * @default HTTPS_PROXY or HTTP_PROXY, unless NO_PROXY exempts the host
   */
  readonly proxy?: string | URL | false | undefined
  /**
   * Environment variables to use instead of the process's. They may include `NODE_EXTRA_CA_CERTS`, which Node itself
   * reads only from the process's environment at startup.
   *
   * @default the process's environment
   */
  readonly env?: Environment | undefined
  /** The certificate authorities to trust instead of Node's own, in PEM. */
  readonly ca?: Pem | undefined
  /** The client certificate with its chain, in PEM. */
  readonly cert?: Pem | undefined
  /** The private key of `cert`, in PEM. */
  readonly key?: Pem | undefined
  /** The passphrase of `key`. */
  readonly passphrase?: string | undefined
  /**
   * An agent of `node:http` or `node:https` that makes the connections, such as proxy-agent's. It also controls
   * proxies, certificates and how long sockets live.
   */
  // Structural, like all types of this package, so that it works without @types/node.
  readonly agent?: object | undefined
  /** The Unix domain socket to connect to, whatever the URL's host. */
  readonly socketPath?: string | undefined
}
