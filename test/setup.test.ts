import fc from 'fast-check'
import { expect, test } from 'vitest'

test('generates inputs up to `maxLength`', () => {
  const lengths = fc.sample(fc.uint8Array({ maxLength: 300 }), 200).map((bytes) => bytes.length)
  expect(Math.max(...lengths)).toBeGreaterThan(200)
})

test("hides a shell's settings for AWS, Claude Code and proxies from the tests", () => {
  const names = Object.keys(process.env).filter((name) => /^(AWS|ANTHROPIC|CLAUDE)_|_PROXY$/i.test(name))
  expect(names).toEqual(['AWS_EC2_METADATA_DISABLED'])
})
