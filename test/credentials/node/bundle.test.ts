import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const src = resolve(import.meta.dirname, '../../../src')
const run = promisify(execFile)
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'outcrop-bundle-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Bundles a program for Node, where AWS's package is not installed, and runs it. */
async function runBundled(format: 'esm' | 'cjs', env = ''): Promise<unknown> {
  const outfile = join(folder, format === 'esm' ? 'program.mjs' : 'program.cjs')
  const { warnings } = await build({
    stdin: {
      contents: `
        import { fromNodeProviderChain } from ${JSON.stringify(join(src, 'credentials/node/index.ts'))}
        fromNodeProviderChain({ profile: 'dev' ${env} })().then(
          ({ accessKeyId }) => console.log(JSON.stringify({ accessKeyId })),
          ({ name, message, command, hint }) => console.log(JSON.stringify({ name, message, command, hint })),
        )`,
      resolveDir: folder,
    },
    outfile,
    format,
    bundle: true,
    minify: true,
    platform: 'node',
    alias: { '#platform': join(src, 'core/platform/node.ts') },
    logLevel: 'silent',
  })
  expect(warnings).toEqual([])
  const { stdout } = await run(process.execPath, [outfile], { cwd: folder })
  return JSON.parse(stdout)
}

describe.each([
  ['esm', ''],
  ['cjs', ''],
  ['esm', ', env: { ...process.env, AWS_PROFILE: "dev" }'],
  ['cjs', ', env: { ...process.env, AWS_PROFILE: "dev" }'],
] as const)('a bundle for Node, %s%s', (format, env) => {
  test("runs without AWS's package, and says to install it when a profile is used", async () => {
    const command = 'npm install @aws-sdk/credential-provider-node'
    expect(await runBundled(format, env)).toEqual({
      name: 'CredentialsError',
      message: '@aws-sdk/credential-provider-node is not installed; profiles, SSO, roles and metadata services need it',
      command,
      hint: expect.stringContaining(command),
    })
  })

  test("finds AWS's package if it is installed", async () => {
    const installed = join(folder, 'node_modules/@aws-sdk/credential-provider-node')
    mkdirSync(installed, { recursive: true })
    writeFileSync(join(installed, 'package.json'), '{ "main": "index.js" }')
    writeFileSync(
      join(installed, 'index.js'),
      "exports.defaultProvider = () => async () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example' })",
    )
    expect(await runBundled(format, env)).toEqual({ accessKeyId: 'AKIDEXAMPLE' })
    rmSync(join(folder, 'node_modules'), { recursive: true })
  })
})
