// Runs each route in `routes/`, which streams a message to a browser, on its own runtime. Skips runtimes that
// `npm run test:runtimes` has not installed.
//
//   npm run build && npx tsx examples/routes.ts
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { readMessageStream } from 'outcrop'
import { createFakeBedrock } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'
import { callLambda, installLambda } from '../test/runtimes/lambda.ts'
import { serveWorker } from '../test/runtimes/workerd.ts'

const root = join(import.meta.dirname, '..')
const runtimes = join(root, 'node_modules/.cache/outcrop/runtimes')
const executable = (name: string): string => join(runtimes, 'node_modules/.bin', name)
const route = (name: string): string => join(import.meta.dirname, 'routes', name)

const reply = 'An outcrop is where bedrock meets the surface.'
const fake = createFakeBedrock({ reply })
const server = await serveFakeBedrock(fake)
const { accessKeyId, secretAccessKey } = fake.identity
const env = {
  AWS_REGION: fake.region,
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_ENDPOINT_URL: server.url,
}
Object.assign(process.env, env)

const body = JSON.stringify({ messages: [{ role: 'user', content: 'What is an outcrop?' }] })
const question = { method: 'POST', body, headers: { 'content-type': 'application/json' } }

/** Reads the response as a page would. */
async function read(response: Response): Promise<string> {
  const text = await readMessageStream(response).finalText()
  assert.equal(text, reply)
  assert.ok(fake.calls.at(-1)?.signature.valid)
  return `${response.status}, ${response.headers.get('content-type')}`
}

async function bundle(file: string, conditions: string[], format: 'esm' | 'iife', globalName = ''): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    write: false,
    format,
    globalName,
    platform: 'neutral',
    conditions,
    logLevel: 'error',
  })
  return outputFiles[0]?.text as string
}

/** Serves `server.ts` from a project that has installed this package, and calls it. */
async function serve(command: string, args: readonly string[]): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'outcrop-example-'))
  mkdirSync(join(directory, 'node_modules'))
  symlinkSync(root, join(directory, 'node_modules/outcrop'))
  writeFileSync(join(directory, 'package.json'), '{ "type": "module", "dependencies": { "outcrop": "*" } }')
  cpSync(route('server.ts'), join(directory, 'server.ts'))
  const child = spawn(command, args, { cwd: directory, env: { ...process.env, PORT: '0', NO_COLOR: '1' } })
  try {
    const port = await new Promise<string>((resolve, reject) => {
      let printed = ''
      const look = (text: Buffer): void => {
        printed += text
        const found = /http:\/\/[\w.]+:(\d+)/.exec(printed)?.[1]
        if (found) resolve(found)
      }
      child.stdout.on('data', look)
      child.stderr.on('data', look)
      child.once('exit', () => reject(new Error(`It ended before it listened: ${printed}`)))
    })
    return await read(await fetch(`http://localhost:${port}`, question))
  } finally {
    child.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
}

async function invokeLambda(): Promise<string> {
  installLambda()
  const { handler } = await import('./routes/lambda.ts')
  return read(await callLambda(handler, new Request('https://function.example/', question)))
}

async function runWorker(): Promise<string> {
  const code = await bundle(route('cloudflare-worker.ts'), ['workerd', 'worker', 'browser'], 'esm')
  const worker = await serveWorker(executable('workerd'), code, { env })
  try {
    return await read(await fetch(worker.url, question))
  } finally {
    await worker.close()
  }
}

async function runEdgeRoute(): Promise<string> {
  const code = await bundle(route('edge-route.ts'), ['edge-light', 'worker', 'browser'], 'iife', 'route')
  const { EdgeVM } = createRequire(join(runtimes, 'package.json'))('@edge-runtime/vm')
  const vm = new EdgeVM({ extend: (context: object) => Object.assign(context, { process: { env }, question }) })
  vm.evaluate(code)
  return read(await vm.evaluate("route.POST(new Request('http://localhost/chat', question))"))
}

async function askHono(): Promise<string> {
  const { default: app } = await import('./routes/hono.ts')
  return read(await app.request('/chat', question))
}

const routes: readonly (readonly [file: string, on: string, needs: string, run: () => Promise<string>])[] = [
  ['cloudflare-worker.ts', 'workerd', executable('workerd'), runWorker],
  ['lambda.ts', 'a stand-in for Lambda', root, invokeLambda],
  ['edge-route.ts', "Vercel's edge runtime", join(runtimes, 'node_modules/@edge-runtime/vm'), runEdgeRoute],
  ['hono.ts', 'Node', root, askHono],
  [
    'server.ts',
    'Deno',
    executable('deno'),
    () => serve(executable('deno'), ['serve', '--port=0', '--allow-net', '--allow-env', 'server.ts']),
  ],
  ['server.ts', 'Bun', executable('bun'), () => serve(executable('bun'), ['server.ts'])],
]

for (const [file, on, needs, run] of routes) {
  const outcome = existsSync(needs) ? await run() : 'SKIPPED: `npm run test:runtimes` installs the runtime'
  console.log(`${file.padEnd(22)} ${on.padEnd(22)} ${outcome}`)
}
await server.close()
