// Merges the chunks that esbuild made, one for each set of entries that share it, into a few: a file takes longer to
// find and to open than to parse. A client's start reads eight files instead of 66.
import { readdirSync, rmSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { rollup } from 'rollup'

// The modules that these entries reach become a chunk, in this order. Those before `core` keep it out of programs that only
// sign or decode, and apart from `#platform`, which imports `base` and is imported by the others.
const groups = {
  base: ['core/platform/node.js', 'core/platform/web.js'],
  protocols: ['core/sigv4/index.js', 'core/event-stream/index.js'],
  core: ['core/index.js', 'credentials/default.js', 'credentials/node/default.js'],
  client: ['index.js'],
  network: [/^default-network-/],
}

const files = readdirSync('dist', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.js') && !file.startsWith('cli'))
  .map((file) => file.replaceAll('\\', '/'))
const isChunk = (file) => file.startsWith('chunks/')
const rootsOf = (wanted) =>
  files.filter((file) => wanted.some((each) => (each instanceof RegExp ? each.test(basename(file)) : each === file)))

const bundle = await rollup({
  input: Object.fromEntries(
    files.filter((file) => !isChunk(file)).map((file) => [file.slice(0, -3), join('dist', file)]),
  ),
  external: (id) => !/^[./]/.test(id),
  treeshake: { moduleSideEffects: false },
  preserveEntrySignatures: 'strict',
  onwarn(warning) {
    throw new Error(warning.message)
  },
})
let groupOf
rmSync('dist/chunks', { recursive: true })
await bundle.write({
  dir: 'dist',
  // Unnamed chunks keep the hash that tells them apart.
  chunkFileNames: ({ name }) => `chunks/${name.replace(/^(?!chunk-)(.*)-[\dA-Z]{8}$/, '$1')}.js`,
  manualChunks(file, { getModuleInfo }) {
    groupOf ??= assignGroups(getModuleInfo)
    return groupOf.get(file)
  },
  hoistTransitiveImports: false,
  minifyInternalExports: false,
  generatedCode: 'es2015',
})

/** Returns the group of each chunk: the first that reaches it. */
function assignGroups(getModuleInfo) {
  const groupOf = new Map()
  for (const [name, wanted] of Object.entries(groups)) {
    const reached = new Set(rootsOf(wanted).map((file) => resolve('dist', file)))
    for (const file of reached) {
      const { isEntry, isExternal, importedIds } = getModuleInfo(file)
      if (isExternal) continue
      if (!isEntry && !groupOf.has(file)) groupOf.set(file, name)
      for (const each of importedIds) reached.add(each)
    }
  }
  return groupOf
}
