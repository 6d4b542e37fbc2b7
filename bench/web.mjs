import { build } from 'esbuild'

/** Builds the web platform's code, as a bundler for a Worker does, for the programs in a folder. */
export function buildForWeb(folder) {
  return build({
    stdin: { contents: "export { createEventStreamDecoder } from 'outcrop/event-stream'", resolveDir: folder },
    outfile: `${folder}node_modules/.outcrop-web.mjs`,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    conditions: ['workerd', 'worker', 'browser'],
    logLevel: 'error',
  })
}
