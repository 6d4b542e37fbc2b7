// Makes the projects that people have, from the packed tarball, and runs each against the fake Bedrock over HTTP.
//
//   npm run build && npm run test:consumers [-- name]
//
// The tools are installed once, into the folder for temporary files. Without them, a project fails.
import { execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { transformSync } from 'esbuild'
import { createFakeBedrock } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'
import { pack, subpaths } from '../package/packed.ts'
import { asking, expected, handler, module, script, type Settings, typed } from './programs.ts'

interface Consumer {
  readonly name: string
  /** Makes the project in an empty folder, runs it, and gives what it printed. */
  run(project: Project): Promise<string>
}

/** A folder beside the tools. */
interface Project {
  readonly directory: string
  write(files: Readonly<Record<string, string>>): void
  /** Runs a tool, by the path of its script in `node_modules`. */
  tool(script: string, ...args: string[]): Promise<string>
  /** Runs a file on this Node. */
  node(...args: string[]): Promise<string>
}

const limit = 120_000
const fake = createFakeBedrock({ region: 'us-east-1' })
const server = await serveFakeBedrock(fake)
const settings: Settings = { endpoint: server.url, region: fake.region, credentials: fake.identity }
/** The same for a program that is told nothing by its code. */
const serviceVariables = {
  AWS_REGION: fake.region,
  AWS_ENDPOINT_URL: server.url,
  AWS_ACCESS_KEY_ID: fake.identity.accessKeyId,
  AWS_SECRET_ACCESS_KEY: fake.identity.secretAccessKey,
}
const edgeRoute = join(import.meta.dirname, '../../examples/routes/edge-route.ts')
const workshop = openWorkshop()

const printer = (file: string): string => `import { run } from './${file}'\nrun().then(console.log)\n`
const json = (value: unknown): string => JSON.stringify(value)

// Where a project resolves modules, what it emits, and how its entry is called.
const modes = [
  { mode: 'node16, ES modules', type: 'module', module: 'Node16', moduleResolution: 'Node16' },
  { mode: 'node16, CommonJS', type: 'commonjs', module: 'Node16', moduleResolution: 'Node16' },
  { mode: 'bundler', type: 'module', module: 'ESNext', moduleResolution: 'Bundler' },
  { mode: 'node10', type: 'commonjs', module: 'CommonJS', moduleResolution: 'Node10' },
] as const
const libraries = [
  { library: 'Node without the DOM', lib: ['ES2022'], types: ['node'] },
  { library: 'the DOM without Node', lib: ['ES2022', 'DOM'], types: [] },
] as const
// msw's own declarations are not ours to check.
const checked = subpaths.filter((subpath) => subpath !== 'outcrop/testing/msw')

const typeScript = (
  name: string,
  compiler: string,
  mode: (typeof modes)[number],
  library: (typeof libraries)[number],
): Consumer => ({
  name,
  async run(project) {
    const { type, module, moduleResolution } = mode
    const { lib, types } = library
    project.write({
      'package.json': json({ private: true, type }),
      'tsconfig.json': json({
        compilerOptions: {
          target: 'ES2022',
          lib,
          types,
          module,
          moduleResolution,
          strict: true,
          exactOptionalPropertyTypes: true,
          noUncheckedIndexedAccess: true,
          skipLibCheck: false,
          outDir: 'out',
        },
        files: ['main.ts'],
      }),
      'program.ts': typed(settings, checked),
      'main.ts': printer('program.js'),
    })
    await project.tool(`${compiler}/bin/tsc`, '-p', '.')
    return project.node('out/main.js')
  },
})

const consumers: readonly Consumer[] = [
  ...modes.flatMap((mode) =>
    libraries.map((library) =>
      typeScript(`TypeScript 5.9, ${mode.mode}, ${library.library}`, 'typescript', mode, library),
    ),
  ),
  typeScript('TypeScript 5.0, node16, CommonJS', 'typescript-5.0', modes[1], libraries[0]),
  typeScript('TypeScript 7, bundler', 'typescript-7', modes[2], libraries[1]),
  {
    name: 'Node, ES modules',
    run(project) {
      project.write({ 'program.mjs': module(settings), 'main.mjs': printer('program.mjs') })
      return project.node('main.mjs')
    },
  },
  {
    name: 'Node, CommonJS',
    run(project) {
      project.write({ 'program.cjs': script(settings), 'main.cjs': `require('./program.cjs').run().then(console.log)` })
      return project.node('main.cjs')
    },
  },
  {
    name: 'Jest',
    async run(project) {
      project.write({
        'package.json': json({ private: true }),
        'jest.config.json': json({ testEnvironment: 'node' }),
        'program.js': script(settings),
        'outcrop.test.js': testOf(`const { run } = require('./program')`),
      })
      return passed(await project.tool('jest/bin/jest.js', '--ci', '--silent=false'))
    },
  },
  {
    name: 'Jest with ts-jest',
    async run(project) {
      project.write({
        'package.json': json({ private: true }),
        'jest.config.json': json({ testEnvironment: 'node', transform: { '\\.ts$': 'ts-jest' } }),
        'tsconfig.json': json({
          compilerOptions: {
            target: 'ES2022',
            module: 'CommonJS',
            moduleResolution: 'Node10',
            strict: true,
            lib: ['ES2022'],
            types: ['node'],
          },
        }),
        'program.ts': typed(settings, checked),
        'outcrop.test.ts': testOf(`import { run } from './program'\ndeclare const test: Function, expect: Function`),
      })
      return passed(await project.tool('jest/bin/jest.js', '--ci'))
    },
  },
  {
    name: 'vitest',
    async run(project) {
      project.write({
        'package.json': json({ private: true, type: 'module' }),
        'program.js': module(settings),
        'outcrop.test.js': testOf(`import { expect, test } from 'vitest'\nimport { run } from './program.js'`),
      })
      return passed(await project.tool('vitest/vitest.mjs', 'run', '--root', project.directory))
    },
  },
  {
    name: 'Vite',
    async run(project) {
      project.write({
        'package.json': json({ private: true, type: 'module' }),
        'program.js': module(settings),
        'main.js': printer('program.js'),
        'index.html': '<script type="module" src="/main.js"></script>',
        'vite.config.js': `export default {
          build: { modulePreload: false, rollupOptions: { output: { entryFileNames: 'main.js' } } } }`,
      })
      await project.tool('vite/bin/vite.js', 'build')
      return project.node('dist/main.js')
    },
  },
  ...(['web', 'node'] as const).map(
    (target): Consumer => ({
      name: `webpack, target ${target}`,
      async run(project) {
        project.write({
          'package.json': json({ private: true }),
          'program.mjs': module(settings),
          'main.mjs': printer('program.mjs'),
          'build.cjs': `const { resolve } = require('node:path')
            require('webpack')({ mode: 'production', target: '${target}', entry: './main.mjs', context: __dirname,
              output: { path: resolve(__dirname, 'out') } }, (error, stats) => {
              if (error || stats.hasErrors() || stats.hasWarnings()) throw error ?? new Error(stats.toString('errors-warnings'))
            })`,
        })
        await project.node('build.cjs')
        return project.node('out/main.js')
      },
    }),
  ),
  {
    name: 'wrangler, dry build',
    async run(project) {
      project.write({
        'wrangler.json': json({ name: 'outcrop', main: 'worker.mjs', compatibility_date: '2026-01-01' }),
        'worker.mjs': `${handler(settings)}\nexport default { fetch: answer }`,
        'asking.mjs': asking,
        'main.mjs': `import worker from './out/worker.js'\nimport { ask } from './asking.mjs'
          console.log(await ask((url, init) => worker.fetch(new Request(url, init))))`,
      })
      await project.tool('wrangler/bin/wrangler.js', 'deploy', '--dry-run', '--outdir', 'out')
      return project.node('main.mjs')
    },
  },
  {
    name: 'Next, build and start',
    async run(project) {
      const files = {
        'package.json': json({ private: true, type: 'module' }),
        'next.config.mjs': `export default { turbopack: { root: ${json(dirname(dirname(project.directory)))} } }`,
        'app/layout.js': `export default ({ children }) => <html><body>{children}</body></html>`,
        'app/page.js': `export default () => <p>Outcrop</p>`,
        'app/api/route.js': `${handler(settings)}\nexport { answer as POST }`,
        // The recipe for a route at the edge, as it is in examples; Next would want TypeScript's packages for its types.
        'app/chat/route.js': transformSync(readFileSync(edgeRoute, 'utf8'), { loader: 'ts' }).code,
        'asking.mjs': asking,
        'main.mjs': `import { readMessageStream } from 'outcrop'
          import { ask } from './asking.mjs'
          const messages = [{ role: 'user', content: 'At the edge?' }]
          const response = await fetch(process.argv[2] + '/chat', { method: 'POST', body: JSON.stringify({ messages }) })
          const text = await readMessageStream(response).finalText()
          if (!text.includes('At the edge?')) throw new Error('The edge route answered: ' + text)
          console.log(await ask((url, init) => fetch(url.replace('http://127.0.0.1', process.argv[2]), init)))`,
      }
      project.write(files)
      await project.tool('next/dist/bin/next', 'build')
      const port = await freePort()
      const app = spawn(process.execPath, [installed('next/dist/bin/next'), 'start', '-p', String(port)], {
        cwd: project.directory,
        env: { ...environment(), ...serviceVariables },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      try {
        await new Promise<void>((resolve, reject) => {
          app.stdout.on('data', (text) => /ready/i.test(String(text)) && resolve())
          app.once('exit', (code) => reject(new Error(`next start ended with ${code}`)))
        })
        return await project.node('main.mjs', `http://127.0.0.1:${port}`)
      } finally {
        app.kill()
      }
    },
  },
]

const wanted = process.argv[2]
let failures = 0
let successes = 0
const queue = consumers.filter(({ name }) => !wanted || name.toLowerCase().includes(wanted.toLowerCase()))
// Two at a time: the compilers take most of it.
await Promise.all([work(), work()])
await server.close()
workshop.remove()
if (failures > 0) process.exitCode = 1
console.log(`${successes} passed, ${failures} failed`)

async function work(): Promise<void> {
  for (let consumer = queue.shift(); consumer; consumer = queue.shift()) {
    const started = performance.now()
    const outcome = await attempt(consumer)
    const seconds = ((performance.now() - started) / 1000).toFixed(0)
    console.log(`${consumer.name.padEnd(56)} ${outcome ?? 'ok'}  ${seconds} s`)
    if (outcome) failures++
    else successes++
  }
}

/** @returns what went wrong */
async function attempt(consumer: Consumer): Promise<string | undefined> {
  try {
    const printed = (await consumer.run(workshop.project(consumer.name))).trim()
    return printed === expected ? undefined : `FAILED, it printed: ${printed}`
  } catch (error) {
    const { stdout, stderr, message } = error as { stdout?: string; stderr?: string; message: string }
    return `FAILED\n${[message, stdout, stderr].filter(Boolean).join('\n').slice(0, 4000)}`
  }
}

function testOf(imports: string): string {
  return `${imports}\ntest('a stream', async () => { expect(await run()).toBe(${json(expected)}) }, 20_000)\n`
}

/** A test runner prints much; it exits with 0 when its tests passed. */
function passed(_printed: string): string {
  return expected
}

function installed(script: string): string {
  return join(workshop.directory, 'node_modules', script)
}

// Only the variables that a tool needs, and no keys of the developer.
function environment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: workshop.directory,
    CI: '1',
    NEXT_TELEMETRY_DISABLED: '1',
    WRANGLER_SEND_METRICS: 'false',
    AWS_EC2_METADATA_DISABLED: 'true',
  } as unknown as NodeJS.ProcessEnv
}

/** A folder with the tools and the packed tarball, and a place for projects. */
function openWorkshop(): { directory: string; project(name: string): Project; remove(): void } {
  const tools = join(tmpdir(), 'outcrop-consumers')
  const manifest = readFileSync(join(import.meta.dirname, 'tools.json'), 'utf8')
  const copied = join(tools, 'package.json')
  if (!existsSync(copied) || readFileSync(copied, 'utf8') !== manifest) {
    console.log('Installing the tools …')
    mkdirSync(tools, { recursive: true })
    execFileSync(
      'npm',
      [
        'install',
        '--no-audit',
        '--no-fund',
        '--no-package-lock',
        '--ignore-scripts',
        '--no-save',
        ...dependencies(manifest),
      ],
      {
        cwd: tools,
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    )
    writeFileSync(copied, manifest)
  }
  const directory = mkdtempSync(join(tmpdir(), 'outcrop-consumer-'))
  // Hard links: a copy in no time. A link to the folder would lead bundlers out of their root.
  execFileSync('cp', [
    process.platform === 'linux' ? '-al' : '-R',
    join(tools, 'node_modules'),
    join(directory, 'node_modules'),
  ])
  const tarball = pack(directory).tarball
  mkdirSync(join(directory, 'node_modules/outcrop'))
  execFileSync('tar', ['-xzf', tarball, '-C', join(directory, 'node_modules/outcrop'), '--strip-components=1'])
  return {
    directory,
    remove: () => rmSync(directory, { recursive: true, force: true }),
    project(name) {
      const folder = join(directory, 'projects', name.replace(/\W+/g, '-').toLowerCase())
      mkdirSync(folder, { recursive: true })
      const node = async (...args: string[]): Promise<string> => {
        const options = { cwd: folder, timeout: limit, env: environment(), maxBuffer: 16 * 1024 * 1024 }
        return (await promisify(execFile)(process.execPath, args, options)).stdout
      }
      return {
        directory: folder,
        node,
        tool: (script, ...args) => node(join(directory, 'node_modules', script), ...args),
        write(files) {
          for (const [path, text] of Object.entries(files)) {
            mkdirSync(dirname(join(folder, path)), { recursive: true })
            writeFileSync(join(folder, path), text)
          }
        },
      }
    },
  }
}

function dependencies(manifest: string): string[] {
  const { dependencies } = JSON.parse(manifest) as { dependencies: Record<string, string> }
  return Object.entries(dependencies).map(([name, version]) => `${name}@${version}`)
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
