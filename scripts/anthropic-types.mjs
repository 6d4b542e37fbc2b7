// Writes the declarations of Anthropic's Messages API that src/core/messages/types.ts imports, with their dependencies, into
// one file without imports. The declaration build inlines that file, so that the types need only `npm install outcrop`: the
// SDK's own file imports half of the SDK, classes included.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url))
const target = path('../node_modules/.cache/outcrop/anthropic.d.ts')

const parse = (file) => ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ESNext, true)
const source = parse(path('../node_modules/@anthropic-ai/sdk/resources/messages/messages.d.ts'))
const printer = ts.createPrinter({ removeComments: true })
const wanted = importedNames(parse(path('../src/core/messages/types.ts')))

// A name may be declared twice: as an interface, and as a namespace of its parts.
const declarations = new Map()
for (const statement of source.statements) {
  if (
    !ts.isInterfaceDeclaration(statement) &&
    !ts.isTypeAliasDeclaration(statement) &&
    !ts.isModuleDeclaration(statement)
  )
    continue
  const { text } = statement.name
  declarations.set(text, [...(declarations.get(text) ?? []), statement])
}
// The file refers to some of its own types through a namespace: its own import, or its resource class.
const selves = new Map([
  ['MessagesAPI', new Set()],
  ['Messages', new Set()],
])
for (const name of selves.keys()) declarations.delete(name)
const foreign = new Set()
for (const statement of source.statements) {
  if (!ts.isImportDeclaration(statement)) continue
  statement.importClause?.namedBindings?.forEachChild((name) => foreign.add(name.getText()))
  const namespace = statement.importClause?.namedBindings
  if (namespace && ts.isNamespaceImport(namespace)) foreign.add(namespace.name.text)
}

const kept = new Map()
for (const name of wanted) keep(name, 'src/core/messages/types.ts')
const namespaces = [...selves].map(([namespace, names]) => {
  const aliases = [...names].map((name) => `type ${namespace}_${name} = ${name}`)
  const members = [...names].map((name) => `  export type ${name} = ${namespace}_${name}`)
  return names.size > 0 ? [...aliases, `declare namespace ${namespace} {`, ...members, '}'].join('\n') : ''
})
const text = [...[...kept.values()].flat(), ...namespaces].join('\n')
mkdirSync(path('../node_modules/.cache/outcrop'), { recursive: true })
writeFileSync(target, `${text}\n`)

function keep(name, by) {
  if (kept.has(name)) return
  const found = declarations.get(name)
  if (!found) throw new Error(`${by} refers to ${name}, which messages.d.ts does not declare as a plain type`)
  kept.set(name, [])
  kept.set(
    name,
    found.map((declaration) => {
      visit(declaration, name)
      // Types that users cannot name have only their fields; many belong to features that Bedrock does not have.
      return wanted.includes(name)
        ? declaration.getFullText().trim()
        : printer.printNode(ts.EmitHint.Unspecified, declaration, source)
    }),
  )
}

function visit(node, by) {
  node.forEachChild((child) => visit(child, by))
  if (ts.isTypeReferenceNode(node)) reference(node.typeName, by)
  if (ts.isExpressionWithTypeArguments(node)) reference(node.expression, by)
}

function reference(name, by) {
  if (ts.isIdentifier(name)) {
    if (foreign.has(name.text) && !declarations.has(name.text))
      throw new Error(`${by} refers to ${name.text}, which is imported from elsewhere`)
    if (declarations.has(name.text)) keep(name.text, by)
    return
  }
  const [first, second] = name.getText().split('.')
  const self = selves.get(first)
  self?.add(second)
  keep(self ? second : first, by)
}

/** Returns the names that a file imports from the SDK, or exports again. */
function importedNames(file) {
  return file.statements
    .filter(({ moduleSpecifier }) => /@anthropic-ai\/sdk/.test(moduleSpecifier?.getText() ?? ''))
    .flatMap(({ importClause, exportClause }) =>
      (importClause?.namedBindings ?? exportClause).elements.map(
        ({ propertyName, name }) => (propertyName ?? name).text,
      ),
    )
}
