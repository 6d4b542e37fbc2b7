import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const src = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

const aliases = [
  { find: /^outcrop$/, replacement: src('index.ts') },
  { find: /^outcrop\/(sigv4|event-stream)$/, replacement: src('core/$1/index.ts') },
  { find: /^outcrop\/(.+)$/, replacement: src('$1/index.ts') },
]

export default defineConfig({
  resolve: {
    alias: [
      ...aliases,
      { find: '#platform', replacement: src('core/platform/node.ts') },
      { find: '#default-credentials', replacement: src('credentials/node/default.ts') },
    ],
  },
  test: { include: ['test/**/*.test.ts'] },
})
