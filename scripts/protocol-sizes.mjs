// Prints the sizes of the signer and the stream decoder in a web bundle, and those of AWS's packages:
// `npm run build && node scripts/protocol-sizes.mjs`
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const programs = {
  'outcrop/sigv4': "export { signRequest } from './dist/core/sigv4/index.js'",
  '@smithy/signature-v4 + @aws-crypto/sha256-js':
    "export { SignatureV4 } from '@smithy/signature-v4'; export { Sha256 } from '@aws-crypto/sha256-js'",
  'outcrop/event-stream': "export { createEventStreamDecoder } from './dist/core/event-stream/index.js'",
  '@smithy/eventstream-codec': "export { EventStreamCodec } from '@smithy/eventstream-codec'",
}
programs['both of outcrop'] = [programs['outcrop/sigv4'], programs['outcrop/event-stream']].join('; ')
programs['the three packages'] = [
  programs['@smithy/signature-v4 + @aws-crypto/sha256-js'],
  programs['@smithy/eventstream-codec'],
].join('; ')

for (const [name, contents] of Object.entries(programs)) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: process.cwd() },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    // The ES sources, because the CommonJS build is many times larger.
    mainFields: ['browser', 'module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    write: false,
    logLevel: 'error',
  })
  const { contents: code } = outputFiles[0]
  console.log(`${name.padEnd(46)} ${code.length} bytes, ${gzipSync(code, { level: 9 }).length} gzipped`)
}
