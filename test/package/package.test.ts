import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Consumer, installPacked, root, subpaths } from './packed.ts'

let consumer: Consumer
beforeAll(() => {
  consumer = installPacked()
})
afterAll(() => consumer?.remove())

const bin = (name: string): string => join(root, 'node_modules', name)

describe('the tarball', () => {
  test('contains the build, the docs and the notices', () => {
    const others = consumer.files.map(({ path }) => path).filter((path) => !path.startsWith('dist/'))
    const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    const docs = pages.flatMap((name) => (/\.\w+$/.test(name) ? [`docs/${name}`] : []))
    const papers = ['CHANGELOG.md', 'LICENSE', 'README.md', 'THIRD-PARTY-NOTICES.md', 'package.json']
    expect(others.sort()).toEqual([...papers, ...docs].sort())
    expect(consumer.files.filter(({ path }) => !/\.(js|cjs|d\.ts|d\.cts|md|json|svg)$|^LICENSE$/.test(path))).toEqual(
      [],
    )
  })

  test('is at most 2.5 MB', () => {
    const modules = readdirSync(join(consumer.directory, 'node_modules')).filter((name) => !name.startsWith('.'))
    expect(modules).toEqual(['outcrop'])
    expect(consumer.files.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(2.5 * 1024 * 1024)
  })

  test('contains each page that a message or another page links to', () => {
    const packed = new Set(consumer.files.map(({ path }) => path))
    const installed = join(consumer.directory, 'node_modules/outcrop')
    const texts = [...packed].filter((path) => /\.(js|md)$/.test(path))
    const pages = texts.flatMap((path) => {
      const text = readFileSync(join(installed, path), 'utf8')
      return path.endsWith('.js')
        ? [...text.matchAll(/\bdocs\/[\w-]+\.md/g)].map(([page]) => page)
        : [...text.matchAll(/\]\((?!\w+:|#)([^)#]+)/g)].map(([, link]) => join(dirname(path), link as string))
    })
    // The repository's alone, and said to be.
    const elsewhere = /^(CONTRIBUTING\.md|examples(\/|$)|bench(\/|$))/
    expect([...new Set(pages)].filter((page) => !packed.has(page) && !elsewhere.test(page))).toEqual([])
  })

  test('names its repository', () => {
    const { repository, homepage, bugs } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      repository: { type: string; url: string }
      homepage: string
      bugs: string
    }
    expect(repository.type).toBe('git')
    expect(homepage).toBe(repository.url.replace(/^git\+(.*)\.git$/, '$1#readme'))
    expect(bugs).toBe(repository.url.replace(/^git\+(.*)\.git$/, '$1/issues'))
  })

  test('has a notice for everything bundled or inlined', () => {
    const notices = readFileSync(join(consumer.directory, 'node_modules/outcrop/THIRD-PARTY-NOTICES.md'), 'utf8')
    for (const name of ['@aws-crypto/sha256-js', '@smithy/signature-v4', '@smithy/core', '@anthropic-ai/sdk'])
      expect(notices).toContain(name)
  })

  test('requires no other package', () => {
    const allowed = /^(node:|#|\.|outcrop|msw$|@aws-sdk\/credential-provider-node$)/
    const dist = join(consumer.directory, 'node_modules/outcrop/dist')
    const foreign = readdirSync(dist, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(js|cjs|d\.ts|d\.cts)$/.test(file))
      .flatMap((file) =>
        [
          ...readFileSync(join(dist, file), 'utf8')
            .replace(/\/\*[\s\S]*?\*\//g, '')
            .matchAll(/^(?:import|export)\b[^'"\n]*?\bfrom ?['"]([^'"]+)['"]|\brequire\(['"]([^'"]+)['"]\)/gm),
        ].map((match) => (match[1] ?? match[2]) as string),
      )
      .filter((specifier) => !allowed.test(specifier))
    expect([...new Set(foreign)]).toEqual([])
  })

  test('passes publint', async () => {
    const { messages } = await publint({ pkgDir: join(consumer.directory, 'node_modules/outcrop'), strict: true })
    const pkg = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  test('passes arethetypeswrong', () => {
    const output = execFileSync(
      process.execPath,
      [bin('@arethetypeswrong/cli/dist/index.js'), consumer.tarball, '--format', 'json'],
      { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
    )
    const { analysis } = JSON.parse(output) as { analysis: { problems: { resolutionKind?: string }[] } }
    expect(analysis.problems).toEqual([])
  })
})

describe('a consumer', () => {
  // Users install optional peers themselves; here, the project's own copies serve.
  beforeAll(() => symlinkSync(bin('msw'), join(consumer.directory, 'node_modules/msw')))

  test.each(subpaths)('imports and requires %s', (subpath) => {
    const esm = `import * as module from '${subpath}'; console.log(Object.keys(module).sort().join())`
    const cjs = `console.log(Object.keys(require('${subpath}')).sort().join())`
    const imported = consumer.node('--input-type=module', '-e', esm)
    expect(imported.trim()).not.toBe('')
    expect(consumer.node('--input-type=commonjs', '-e', cjs)).toBe(imported)
  })

  test('recognizes errors across its ESM and CommonJS copies', () => {
    const file = consumer.write(
      'copies.mjs',
      `import { createRequire } from 'node:module'
       import * as esm from 'outcrop'
       const cjs = createRequire(import.meta.url)('outcrop')
       const a = new esm.ConfigurationError('a')
       const b = new cjs.ConfigurationError('b')
       console.log(esm.isBedrockError(b), cjs.isBedrockError(a), esm.isBedrockError(b, 'configuration'),
         a instanceof cjs.ConfigurationError, b instanceof esm.BedrockError, esm.isBedrockError(new Error('c')))`,
    )
    expect(consumer.node(file).trim()).toBe('true true true false false false')
  })

  test.each([
    ['mts', 'Node16', 'Node16'],
    ['cts', 'Node16', 'Node16'],
    ['mts', 'ESNext', 'Bundler'],
  ])('type-checks as .%s with module %s', (extension, module, moduleResolution) => {
    const imports = subpaths
      // msw's own declarations are not ours to check.
      .filter((subpath) => subpath !== 'outcrop/testing/msw')
      .map((subpath, i) => `import * as module${i} from '${subpath}'\nexport const keys${i}: object = module${i}`)
    const file = consumer.write(
      `types-${moduleResolution.toLowerCase()}.${extension}`,
      `import { createBedrockClient, isBedrockError, type Message, type Middleware, type RawMessageStreamEvent } from 'outcrop'
${imports.join('\n')}

export async function run(): Promise<string> {
  const bedrock = createBedrockClient({ region: 'us-east-1', retry: false })
  const message: Message = await bedrock.messages.create({
    model: 'sonnet',
    max_tokens: 10,
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello', cache_control: { type: 'ephemeral' } }] }],
    tools: [{ name: 'now', input_schema: { type: 'object', properties: {} } }],
  })
  const [block] = message.content
  const stream = bedrock.messages.stream({ model: 'sonnet', max_tokens: 10, messages: [{ role: 'assistant', content: message.content }] })
  const events: RawMessageStreamEvent[] = []
  for await (const event of stream) {
    events.push(event)
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') console.log(event.delta.text.length)
  }
  // @ts-expect-error A message needs max_tokens.
  bedrock.messages.stream({ model: 'sonnet', messages: [] })
  return block?.type === 'text' ? block.text : String(message.metadata.usage.outputTokens)
}

export const middleware: Middleware = async (request, next, { region }) => {
  try {
    return await next({ ...request, headers: { ...request.headers, region } })
  } catch (error) {
    if (isBedrockError(error, 'service')) console.log(error.status, error.type, error.retryAfter)
    if (isBedrockError(error, 'stream_truncated')) console.log(error.partial?.usage)
    throw error
  }
}
`,
    )
    const project = consumer.write(
      `tsconfig-${moduleResolution.toLowerCase()}-${extension}.json`,
      JSON.stringify({
        compilerOptions: {
          target: 'ES2022',
          lib: ['ES2023', 'DOM', 'DOM.Iterable', 'DOM.AsyncIterable', 'ESNext.Disposable'],
          types: [],
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
          skipLibCheck: false,
          module,
          moduleResolution,
        },
        files: [file],
      }),
    )
    const output = ((): string => {
      try {
        return consumer.node(bin('typescript/bin/tsc'), '-p', project)
      } catch (error) {
        return (error as { stdout: string }).stdout
      }
    })()
    expect(output).toBe('')
  })
})
