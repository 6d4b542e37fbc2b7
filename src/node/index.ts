/**
 * What Node's own HTTP can do and its `fetch` cannot: proxies, certificates, agents, Unix sockets, calls of an hour.
 *
 * @module
 */
export { createNodeFetch } from './node-fetch.ts'
export type { NodeFetchOptions, Pem } from './options.ts'
