import { defineConfig } from 'vitest/config'

// What is published, as users get it: `npm run build` first.
export default defineConfig({
  test: { root: import.meta.dirname, include: ['*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 },
})
