import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../..')

/** The package's manifest. */
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, Record<'import' | 'require', { types: string; default: string }> | string>
}

/** Every subpath of the package, as it is imported. */
export const subpaths = Object.entries(manifest.exports)
  .filter(([, target]) => typeof target === 'object')
  .map(([path]) => `outcrop${path.slice(1)}`)

/** A project that has installed the packed tarball and nothing else. */
export interface Consumer {
  readonly directory: string
  readonly tarball: string
  readonly files: readonly { readonly path: string; readonly size: number }[]
  write(name: string, text: string): string
  /** Runs a file, or inline arguments, on this Node; gives what it printed. */
  node(...args: string[]): string
  remove(): void
}

const runIn =
  (cwd: string) =>
  (command: string, ...args: string[]): string =>
    execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

/** Packs what is built into a folder. */
export function pack(directory: string): Pick<Consumer, 'tarball' | 'files'> {
  if (!existsSync(join(root, 'dist/index.d.cts'))) throw new Error('Build first: npm run build')
  const [packed] = JSON.parse(
    runIn(root)('npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', directory),
  ) as [{ filename: string; files: { path: string; size: number }[] }]
  return { tarball: join(directory, packed.filename), files: packed.files }
}

/** Packs the build, and installs only that in a new folder. */
export function installPacked(): Consumer {
  const directory = mkdtempSync(join(tmpdir(), 'outcrop-package-'))
  const run = runIn(directory)
  const { tarball, files } = pack(directory)
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'consumer', private: true }))
  run('npm', 'install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', tarball)
  return {
    directory,
    tarball,
    files,
    write(name, text) {
      const path = join(directory, name)
      writeFileSync(path, text)
      return path
    },
    node: (...args) => run(process.execPath, ...args),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  }
}

/** The outcome of a run of the command. */
export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the installed command without a terminal, and with no more of this environment than it needs. */
export function runOutcrop(
  { directory }: Consumer,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input = '',
  cwd = directory,
): Promise<Outcome> {
  const child = spawn(join(directory, 'node_modules/.bin/outcrop'), args, {
    cwd,
    env: { PATH: process.env.PATH ?? '', HOME: directory, AWS_EC2_METADATA_DISABLED: 'true', ...env },
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk) => {
      output[name] += chunk
    })
  }
  child.stdin.end(input)
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...output })))
}
