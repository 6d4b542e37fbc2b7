import { readFileSync } from 'node:fs'
import { defineConfig, type Options } from 'tsup'

const { exports, imports } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8'))

// The one list of entries is package.json's: what it exports, and what its conditions choose from.
const built = JSON.stringify([exports, imports]).match(/\.\/dist\/[\w/-]+(?=\.js")/g) ?? []
const entry = Object.fromEntries(
  [...new Set(built)].map((path) => [path.slice('./dist/'.length), `${path.replace('./dist/', 'src/')}.ts`]),
)

const library: Options = {
  entry,
  // scripts/commonjs.mjs makes the other format of it.
  format: 'esm',
  target: 'es2022',
  // AWS's packages are bundled from their ES sources, with the browser's in place of Node's.
  platform: 'browser',
  esbuildOptions(options) {
    options.mainFields = ['browser', 'module', 'main']
    options.chunkNames = 'chunks/[name]-[hash]'
  },
  external: [/^#/, /^node:/, 'msw', '@aws-sdk/credential-provider-node'],
  noExternal: [/^@aws-crypto\//, /^@smithy\//],
  removeNodeProtocol: false,
  dts: process.argv.includes('--no-dts')
    ? false
    : {
        resolve: [/^@anthropic-ai\/sdk/],
        compilerOptions: {
          types: ['node'],
          paths: {
            '#platform': ['./src/core/platform/web.ts'],
            '#default-credentials': ['./src/credentials/default.ts'],
            '@anthropic-ai/sdk/resources/messages/messages': ['./node_modules/.cache/outcrop/anthropic.d.ts'],
          },
        },
      },
  silent: true,
}

// The command is a user of the package like any other, and imports it by name.
const command: Options = {
  entry: { 'cli/index': 'src/cli/index.ts' },
  format: 'esm',
  target: 'node20',
  platform: 'node',
  external: [/^outcrop/, /^#/],
  removeNodeProtocol: false,
  silent: true,
}

export default defineConfig([library, command])
