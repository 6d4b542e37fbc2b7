import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const src = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

const alias = (platform: string, credentials: string): { find: string | RegExp; replacement: string }[] => [
  { find: /^outcrop$/, replacement: src('index.ts') },
  { find: /^outcrop\/(sigv4|event-stream)$/, replacement: src('core/$1/index.ts') },
  { find: /^outcrop\/(.+)$/, replacement: src('$1/index.ts') },
  { find: '#platform', replacement: src(platform) },
  { find: '#default-credentials', replacement: src(credentials) },
]

// What is packed, and the other runtimes, have commands of their own: they need a build.
const exclude = ['test/package/**', 'test/runtimes/**']

const shared = {
  setupFiles: ['test/setup.ts'],
  // No test may depend on how fast the machine is.
  testTimeout: 60_000,
  hookTimeout: 60_000,
  expect: { poll: { timeout: 30_000 } },
}

export default defineConfig({
  test: {
    projects: [
      {
        resolve: { alias: alias('core/platform/node.ts', 'credentials/node/default.ts') },
        test: { name: 'node', include: ['test/**/*.test.ts'], exclude, ...shared },
      },
      {
        // The core once more, on the code that Workers and browsers get.
        resolve: { alias: alias('core/platform/web.ts', 'credentials/default.ts') },
        test: {
          name: 'web',
          include: ['test/core/**/*.test.ts'],
          exclude: [...exclude, '**/node-*.test.ts'],
          ...shared,
        },
      },
    ],
  },
})
