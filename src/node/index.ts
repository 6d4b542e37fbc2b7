/**
 * Features of Node's own HTTP that `fetch` lacks: proxies, certificates, agents, Unix sockets, calls of an hour.
 *
 * @module
 */
export { createNodeFetch } from './node-fetch.ts'
export type { NodeFetchOptions, Pem } from './options.ts'
