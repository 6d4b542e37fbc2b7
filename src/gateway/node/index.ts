/**
 * A gateway on Node: an HTTP server, and keys in a file.
 *
 * @module
 */
export { type KeysFile, type KeysFileOptions, keysFile } from './keys-file.ts'
export { type GatewayServer, serveGateway, type ServeGatewayOptions } from './serve-gateway.ts'
