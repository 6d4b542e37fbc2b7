import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Consumer, installPacked } from './packed.ts'

let consumer: Consumer
beforeAll(() => {
  consumer = installPacked()
})
afterAll(() => consumer?.remove())

/** Bundles as users of a web runtime do: no polyfill, no Node built-in. An unresolved import fails the build. */
async function bundle(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: consumer.directory },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    platform: 'neutral',
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: [],
    logLevel: 'error',
  })
  return outputFiles[0]?.text as string
}

const program = (subpath: string, model: string): string => `
  import { createBedrockClient } from '${subpath}'
  const bedrock = createBedrockClient({ region: 'us-east-1', credentials: { token } })
  const params = { model: '${model}', max_tokens: 1024, messages: [{ role: 'user', content: 'Hi' }] }
  for await (const text of bedrock.messages.stream(params).textStream) console.log(text)`

// The current sizes, which must not grow. docs/performance.md compares them with the goals.
test.each([
  ['outcrop/core', 'us.anthropic.claude-sonnet-4-6', 22_750],
  ['outcrop', 'sonnet', 39_980],
])('limits the smallest streaming program on %s', async (subpath, model, limit) => {
  const size = gzipSync(await bundle(program(subpath, model)), { level: 9 }).length
  console.log(`${subpath}: ${size} bytes gzipped`)
  expect(size).toBeLessThanOrEqual(limit)
})

// A chunk holds many modules, and a bundle of one of them must not have to keep what the others do at the top level.
test('leaves nothing of a chunk of which nothing is used', async () => {
  const chunks = ['base', 'protocols', 'core', 'client']
  const { outputFiles } = await build({
    stdin: {
      contents: chunks.map((name) => `import './node_modules/outcrop/dist/chunks/${name}.js'`).join('\n'),
      resolveDir: consumer.directory,
    },
    // Not as package.json allows, but by what each statement does.
    plugins: [
      {
        name: 'side effects',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\./ }, ({ path, resolveDir }) => ({ path: join(resolveDir, path), sideEffects: true })),
      },
    ],
    external: ['#*', 'node:*'],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    logLevel: 'error',
  })
  expect(outputFiles[0]?.text.replace(/import(\{[^}]*\}from)?"[^"]*";|\s/g, '')).toBe('')
})

// Words that only one module has: importing another must not bring them along.
const marks: Readonly<Record<string, RegExp>> = {
  catalog: /model-card-anthropic-claude/,
  models: /3-5-haiku-20241022/,
  hints: /A service control policy denies/,
  caching: /maxBytes must be a positive/,
  guardrails: /Not a guardrail/,
  settings: /CLAUDE_CODE_USE_BEDROCK/,
  limits: /used up its daily tokens/,
  tools: /A loop of tool calls/,
  failover: /failover targets are called/,
  anthropic: /capability_rejected/,
  gateway: /outcrop_gateway_/,
  telemetry: /gen_ai\.operation\.name/,
  diagnostics: /NothingWithoutTheGuardrail/,
  testing: /UnknownOperationException/,
  smithy: /AWS4-HMAC-SHA256[\s\S]*AWS4-HMAC-SHA256-PAYLOAD/,
  sts: /AssumeRoleWithWebIdentity/,
  decoder: /the checksum of a prelude/,
  signer: /AWS4-HMAC-SHA256/,
}

test.each<[subpath: string, allowed: string[]]>([
  ['outcrop/core', ['decoder', 'signer']],
  ['outcrop/sigv4', ['signer']],
  ['outcrop/event-stream', ['decoder']],
  ['outcrop/models', ['catalog', 'models']],
  ['outcrop/credentials', ['sts', 'signer']],
  ['outcrop/caching', ['catalog', 'models', 'caching']],
  ['outcrop/guardrails', ['guardrails']],
  ['outcrop/compatibility', []],
  ['outcrop/limits', ['catalog', 'models', 'limits', 'signer']],
  ['outcrop/usage', []],
  ['outcrop/failover', ['failover', 'guardrails']],
  ['outcrop/anthropic', ['catalog', 'models', 'anthropic']],
  ['outcrop/gateway', ['catalog', 'models', 'guardrails', 'anthropic', 'decoder', 'gateway']],
  ['outcrop/tools', ['tools']],
  ['outcrop/telemetry', ['telemetry']],
  ['outcrop', ['models', 'hints', 'guardrails', 'decoder', 'signer']],
])('%s includes no other module', async (subpath, allowed) => {
  const text = await bundle(`import * as all from '${subpath}'; globalThis.all = all`)
  const found = Object.keys(marks).filter((name) => marks[name]?.test(text))
  // The core may name AWS's exception for an unknown path without including the fake.
  expect(
    found.filter((name) => !allowed.includes(name) && !(name === 'testing' && /^outcrop(\/core)?$/.test(subpath))),
  ).toEqual([])
})
