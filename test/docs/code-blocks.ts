import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import ts from 'typescript'

export const root = resolve(import.meta.dirname, '../..')

/** A block of TypeScript on a page. */
export interface CodeBlock {
  /** `docs/messages.md:12` */
  readonly place: string
  readonly code: string
  /** The HTML comment above it, which says that it is not compiled or not run, and why. */
  readonly exemption: 'not compiled' | 'not run' | undefined
}

/** Every block of TypeScript in the README and in `docs`. */
export function findCodeBlocks(): readonly CodeBlock[] {
  const pages = readdirSync(join(root, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : []))
  return ['README.md', ...pages].flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8')
    return [...text.matchAll(/(?:<!-- (not compiled|not run): [^\n]+ -->\n+)?^```ts\n([\s\S]*?)^```$/gm)].map(
      ({ index, 0: whole, 1: exemption, 2: code = '' }): CodeBlock => ({
        place: `${page}:${text.slice(0, index + whole.indexOf('```ts')).split('\n').length}`,
        code,
        exemption: exemption as CodeBlock['exemption'],
      }),
    )
  })
}

/** Type-checks all blocks as modules of one program, beside the names that pages take for granted. */
export function check(blocks: readonly CodeBlock[]): readonly string[] {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.node.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  // As `strict` has it.
  options.exactOptionalPropertyTypes = false
  const files = new Map(blocks.map((block, i) => [join(root, `test/docs/block-${i}.ts`), asModule(block.code)]))
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists } = host
  host.fileExists = (path) => files.has(path) || fileExists(path)
  host.getSourceFile = (path, version, ...rest) => {
    const text = files.get(path)
    return text === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text, version)
  }
  const surroundings = ['ambient.d.ts', 'modules.d.ts'].map((name) => join(root, 'test/docs', name))
  const program = ts.createProgram([...surroundings, ...files.keys()], options, host)
  return [...files.keys()].flatMap((path, i) => {
    const file = program.getSourceFile(path)
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ messageText, start = 0 }) =>
        `${blocks[i]?.place}: ${ts.flattenDiagnosticMessageText(messageText, ' ')} in ${file?.text.slice(start, start + 60).split('\n')[0]}`,
    )
  })
}

// A page shows what stands inside a function, `return` and all, unless it exports something.
function asModule(code: string): string {
  if (/^export /m.test(code)) return code
  const imports = code.match(/^import [\s\S]*?from '[^']+'/gm) ?? []
  const rest = imports.reduce((text, line) => text.replace(line, ''), code)
  return `${imports.join('\n')}\nexport default async function block() {\n${rest}\n}\n`
}

/** Makes a function of a block; its imports go through `load`. */
export function compile(code: string): (load: (specifier: string) => Promise<unknown>) => Promise<unknown> {
  const { outputText } = ts.transpileModule(asModule(code), {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: false },
  })
  const body = outputText
    .replace(/^import \* as (\w+) from '([^']+)';?$/gm, "const $1 = await load('$2')")
    .replace(/^import (\w+) from '([^']+)';?$/gm, "const { default: $1 } = await load('$2')")
    .replace(/^import \{([^}]*)\} from '([^']+)';?$/gm, (_, names: string, specifier: string) => {
      return `const {${names.replace(/\bas\b/g, ':')}} = await load('${specifier}')`
    })
    .replace(/^export default async function block/m, 'return await (async function block')
    .replace(/^export default /m, 'return ')
    .replace(/^export (?!\{)/gm, '')
    .replace(/^export \{\};?$/gm, '')
  const closed = /return await \(async function block/.test(body) ? `${body.trimEnd()})()` : body
  const AsyncFunction = (async () => {}).constructor as new (name: string, code: string) => ReturnType<typeof compile>
  return new AsyncFunction('load', closed)
}
