import { defineConfig } from 'vitest/config'

// Tests of the published package. Run `npm run build` first.
export default defineConfig({
  test: { root: import.meta.dirname, include: ['*.test.ts'], testTimeout: 120_000, hookTimeout: 120_000 },
})
