// Runs the packed tarball on every runtime, against the fake Bedrock over HTTP, and prints a table.
//
//   npm run build && npm run test:runtimes [-- name]
//
// The runtimes are installed into a cache folder. One that cannot be is skipped, and fails with OUTCROP_REQUIRE_RUNTIMES=1.
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { build, type BuildOptions, type Plugin } from 'esbuild'
import { createFakeBedrock } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'
import { type Consumer, installPacked, root } from '../package/packed.ts'
import { forward, listen } from './gateway.ts'
import { serveWorker } from './workerd.ts'
import { workerChecks } from './workers.ts'

const cache = join(root, 'node_modules/.cache/outcrop/runtimes')
const program = resolve(import.meta.dirname, 'program.mjs')
const limit = 20_000
const workerConditions = ['workerd', 'worker', 'browser']

/** A line of the table. */
interface Row {
  readonly name: string
  /** The packages to install, as arguments of npm. */
  readonly packages?: readonly string[]
  /** Whether it can run here; an error or `false` is a skip. */
  available?(): boolean
  /** Gives what there is to say when all is well. */
  run(): Promise<string>
}

interface Runtime extends Omit<Row, 'run'> {
  /** Whether the calls are to come by `node:http`, and not by `fetch`. */
  readonly isNode?: boolean
  /** Runs the program and gives what it returned. */
  run(settings: string): Promise<string>
}

const fake = createFakeBedrock({ region: 'us-east-1' })
const server = await serveFakeBedrock(fake)
const consumer: Consumer = installPacked()

const settingsFor = (endpoint: string): string =>
  JSON.stringify({ endpoint, region: fake.region, credentials: fake.identity })

const nodePackage = (major: number): string =>
  `node-${major}@npm:node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}@${major}`
const bin = (name: string): string => join(cache, 'node_modules/.bin', name)

consumer.write(
  'entry.mjs',
  `import * as outcrop from 'outcrop'
   import { run } from ${JSON.stringify(program)}
   console.log(await run(outcrop, JSON.parse(process.argv[2])))`,
)
consumer.write(
  'entry.cjs',
  `const outcrop = require('outcrop')
   import(${JSON.stringify(program)}).then(({ run }) => run(outcrop, JSON.parse(process.argv[2]))).then(console.log)`,
)

/** Bundles a program as users of a web runtime do. `options` are for what is not ours. */
async function bundle(
  code: string,
  conditions: string[],
  format: 'esm' | 'iife' = 'esm',
  options: BuildOptions = {},
): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: consumer.directory },
    bundle: true,
    minify: true,
    write: false,
    format,
    platform: 'neutral',
    conditions,
    mainFields: [],
    logLevel: 'error',
    ...options,
  })
  return outputFiles?.[0]?.text as string
}

const imports = `import * as outcrop from 'outcrop'\nimport { run } from ${JSON.stringify(program)}\n`

async function execute(command: string, args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { cwd: consumer.directory, timeout: limit })
  return stdout
}

const nodes = [20, 22, 24, 26].flatMap((major): Runtime[] => {
  const executable = join(cache, `node_modules/node-${major}/bin/node`)
  const base = { packages: [nodePackage(major)], available: () => existsSync(executable), isNode: true }
  return [
    { ...base, name: `Node ${major}, ESM`, run: (settings) => execute(executable, ['entry.mjs', settings]) },
    { ...base, name: `Node ${major}, CommonJS`, run: (settings) => execute(executable, ['entry.cjs', settings]) },
  ]
})

const workerd = { packages: ['workerd@1'], available: () => existsSync(bin('workerd')) }

const runtimes: readonly Runtime[] = [
  ...nodes,
  {
    name: 'Node, bundled',
    isNode: true,
    run: async (settings) => {
      const outfile = join(consumer.directory, 'bundled.mjs')
      const entryPoints = [join(consumer.directory, 'entry.mjs')]
      await build({
        entryPoints,
        outfile,
        bundle: true,
        minify: true,
        platform: 'node',
        format: 'esm',
        logLevel: 'error',
      })
      return execute(process.execPath, [outfile, settings])
    },
  },
  {
    name: 'Bun',
    packages: ['bun@1'],
    available: () => existsSync(bin('bun')),
    run: (settings) => execute(bin('bun'), ['run', 'entry.mjs', settings]),
  },
  {
    name: 'Deno',
    packages: ['deno@2'],
    available: () => existsSync(bin('deno')),
    run: async (settings) =>
      execute(bin('deno'), ['run', '--allow-all', '--node-modules-dir=manual', '--no-config', 'entry.mjs', settings]),
  },
  {
    name: 'Deno, no permission but the network',
    packages: ['deno@2'],
    available: () => existsSync(bin('deno')),
    run: async (settings) => {
      const code = await bundle(`${imports}console.log(await run(outcrop, ${settings}))`, ['deno', 'worker', 'browser'])
      const file = consumer.write('deno.mjs', code)
      return execute(bin('deno'), ['run', '--allow-net', '--no-prompt', '--no-config', file])
    },
  },
  {
    name: 'workerd, no nodejs_compat',
    ...workerd,
    run: (settings) => runOnWorkerd(settings),
  },
  {
    name: 'Edge runtime',
    packages: ['@edge-runtime/vm@5'],
    available: () => existsSync(join(cache, 'node_modules/@edge-runtime/vm')),
    run: async (settings) => {
      const { EdgeVM } = createRequire(join(cache, 'package.json'))('@edge-runtime/vm')
      const code = await bundle(
        `${imports}globalThis.result = run(outcrop, ${settings})`,
        ['edge-light', 'worker', 'browser'],
        'iife',
      )
      const vm = new EdgeVM()
      vm.evaluate(code)
      return vm.evaluate('globalThis.result') as Promise<string>
    },
  },
  { name: 'Chromium', available: () => chromium() !== undefined, run: runInChromium },
]

async function runOnWorkerd(settings: string, preamble = imports, options?: BuildOptions): Promise<string> {
  const code = `${preamble}\nexport default { async fetch() {
    try { return new Response(await run(outcrop, ${settings})) }
    catch (error) { return new Response(String(error.stack ?? error), { status: 500 }) }
  } }`
  const worker = await serveWorker(bin('workerd'), await bundle(code, workerConditions, 'esm', options))
  try {
    const response = await fetch(worker.url)
    const text = await response.text()
    if (!response.ok) throw new Error(text)
    return text
  } finally {
    await worker.close()
  }
}

async function runInChromium(): Promise<string> {
  // The page and Bedrock share one origin, as they would behind a site's own gateway.
  let settle: (result: string) => void
  const result = new Promise<string>((resolve) => {
    settle = resolve
  })
  const code = (origin: string): Promise<string> =>
    bundle(
      `${imports}
       run(outcrop, ${settingsFor(origin)}).catch((error) => 'Error: ' + (error.stack ?? error))
         .then((body) => fetch('/result', { method: 'POST', body }))`,
      ['browser'],
    )
  const site = await listen(async (incoming, outgoing) => {
    if (incoming.url === '/result') {
      let text = ''
      for await (const chunk of incoming) text += chunk
      settle(text)
      outgoing.end()
    } else if (incoming.url?.startsWith('/model/')) {
      forward(server.url, incoming, outgoing)
    } else {
      outgoing.setHeader('content-type', 'text/html; charset=utf-8')
      outgoing.end(`<script type="module">${await code(`http://${incoming.headers.host}`)}</script>`)
    }
  })
  const child = spawn(
    chromium() as string,
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--user-data-dir=${mkdtempSync(join(tmpdir(), 'outcrop-chromium-'))}`,
      '--remote-debugging-port=0',
      site.url,
    ],
    { stdio: 'ignore' },
  )
  const timer = setTimeout(() => settle('Error: no answer in time'), limit)
  try {
    const text = await result
    if (text.startsWith('Error')) throw new Error(text)
    return text
  } finally {
    clearTimeout(timer)
    await end(child)
    site.close()
  }
}

function chromium(): string | undefined {
  return ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path))
}

function end(child: ChildProcess): Promise<unknown> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  return child.exitCode === null && child.signalCode === null ? gone : Promise.resolve()
}

function install(packages: readonly string[]): void {
  mkdirSync(cache, { recursive: true })
  if (!existsSync(join(cache, 'package.json'))) writeFileSync(join(cache, 'package.json'), '{ "private": true }')
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock', ...packages], {
    cwd: cache,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

/** Anthropic's SDKs and the AI SDK on `anthropicFetch`, in a Worker. */
async function runAnthropicSdks(): Promise<string> {
  fake.reset()
  fake.fail('throttling', { model: 'sonnet' })
  fake.fail('stream-truncated', { model: 'opus', times: 2 })
  const preamble = `import { createBedrockClient } from 'outcrop'
    import { anthropicOptions } from 'outcrop/anthropic'
    import { run } from ${JSON.stringify(join(import.meta.dirname, 'anthropic-sdks.mjs'))}
    const outcrop = { createBedrockClient, anthropicOptions }`
  // Tools of Anthropic's SDK that nobody uses here would import modules of Node.
  const noNode: Plugin = {
    name: 'no Node',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: 'node' }))
      onLoad({ filter: /./, namespace: 'node' }, () => ({ contents: 'module.exports = {}' }))
    },
  }
  const options = { mainFields: ['browser', 'module', 'main'], plugins: [noNode] }
  const result = await runOnWorkerd(settingsFor(server.url), preamble, options)
  const unsigned = fake.calls.filter(({ signature }) => !signature.valid).length
  if (unsigned > 0) throw new Error(`${unsigned} of ${fake.calls.length} calls were not signed well`)
  return `${result}, ${fake.calls.length} signatures verified`
}

/** The program on a runtime: it makes four calls, all of which have to be signed well. */
async function runProgram({ run, isNode = false }: Runtime): Promise<string> {
  fake.reset()
  fake.fail('throttling', { model: 'sonnet' })
  fake.fail('stream-truncated', { model: 'opus' })
  const result = (await run(settingsFor(server.url))).trim()
  const signed = fake.calls.filter(({ signature }) => signature.valid).length
  if (signed !== 4 || fake.calls.length !== 4)
    throw new Error(`${signed} of ${fake.calls.length} calls were signed well`)
  // Only the `fetch` of Node and of browsers sends this header.
  if (isNode && fake.calls.some(({ headers }) => 'sec-fetch-mode' in headers))
    throw new Error("Node's own fetch was not recognised: node:http was to send")
  return `${result}, ${signed} signatures verified`
}

const rows: readonly Row[] = [
  ...runtimes.map((runtime) => ({ ...runtime, run: () => runProgram(runtime) })),
  { name: 'workerd, SDKs on anthropicFetch', ...workerd, run: runAnthropicSdks },
  ...workerChecks(bin('workerd'), () =>
    bundle(`export { default } from ${JSON.stringify(join(import.meta.dirname, 'worker.mjs'))}`, workerConditions),
  ).map((check) => ({ ...workerd, ...check })),
]

const chosen = rows.filter(({ name }) => name.toLowerCase().includes((process.argv[2] ?? '').toLowerCase()))
const wanted = [...new Set(chosen.flatMap(({ packages = [] }) => packages))]
try {
  install(wanted)
} catch (error) {
  console.error('Some runtimes could not be installed:', (error as Error).message)
}

const tally = { passed: 0, failed: 0 }
for (const { name, available, run } of chosen) {
  let outcome: string
  if (available && !available()) {
    const isRequired = process.env.OUTCROP_REQUIRE_RUNTIMES === '1'
    if (isRequired) tally.failed++
    outcome = isRequired ? 'FAILED   it could not be installed' : 'skipped  it is not installed'
  } else {
    try {
      outcome = `ok       ${await run()}`
      tally.passed++
    } catch (error) {
      tally.failed++
      outcome = `FAILED   ${(error as Error).message}`
    }
  }
  console.log(`${name.padEnd(36)} ${outcome}`)
}
await server.close()
consumer.remove()
console.log(`${tally.passed} passed, ${tally.failed} failed`)
process.exit(tally.failed === 0 ? 0 : 1)
