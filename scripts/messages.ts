// Prints every message that a user may read, with its file and line:
// `npx tsx scripts/messages.ts [words of a kind, a path or a message…]`
import { relative } from 'node:path'
import ts from 'typescript'

/** A message in the source. */
export interface Message {
  /** Such as `src/core/client.ts:12`. */
  readonly place: string
  /** An error's class, `hint`, `log` with its level, `check` for a doctor row, `terminal`, or `part` of another message. */
  readonly kind: string
  /** As in the source, including `${…}`. */
  readonly text: string
}

type Body = ts.FunctionLikeDeclaration

const levels = new Set(['debug', 'info', 'warn', 'error'])
const printed = new Set(['note', 'print'])

/** Finds the messages by following texts from the places that print or throw them. */
export function findMessages(root: string = process.cwd()): Message[] {
  const path = ts.findConfigFile(root, ts.sys.fileExists, 'tsconfig.node.json') as string
  const config = ts.parseJsonConfigFileContent(ts.readConfigFile(path, ts.sys.readFile).config, ts.sys, root)
  const program = ts.createProgram(
    config.fileNames.filter((name) => relative(root, name).startsWith('src')),
    config.options,
  )
  const checker = program.getTypeChecker()
  const sources = program.getSourceFiles().filter(({ fileName }) => relative(root, fileName).startsWith('src'))

  const calls = new Map<ts.Node, (ts.CallExpression | ts.NewExpression)[]>()
  const found = new Map<string, Message>()
  for (const source of sources) each(source, keepCall)
  for (const source of sources) each(source, look)
  return [...found.values()]

  function keepCall(node: ts.Node): void {
    if (!ts.isCallExpression(node) && !ts.isNewExpression(node)) return
    const called = checker.getResolvedSignature(node)?.declaration
    if (called) calls.set(called, [...(calls.get(called) ?? []), node])
  }

  function look(node: ts.Node): void {
    if (ts.isNewExpression(node) && isError(node)) {
      const message = argumentOf(node, 'message')
      if (message) add(node.expression.getText(), message)
    } else if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { expression: owner, name } = node.expression
      const [first] = node.arguments
      if (!first) return
      const type = checker.typeToString(checker.getNonNullableType(checker.getTypeAtLocation(owner)))
      if (type === 'Logger' && levels.has(name.text)) add(`log ${name.text}`, first)
      else if (type === 'Terminal' && printed.has(name.text)) add('terminal', first)
    } else if (ts.isPropertyAssignment(node) || ts.isShorthandPropertyAssignment(node)) {
      const kind = kindOfProperty(node.name.getText(), node.parent)
      if (kind) add(kind, ts.isPropertyAssignment(node) ? node.initializer : node.name)
    } else if (
      ts.isBinaryExpression(node) &&
      node.operatorToken.kind === ts.SyntaxKind.EqualsToken &&
      ts.isPropertyAccessExpression(node.left) &&
      node.left.name.text === 'hint'
    )
      add('hint', node.right)
  }

  function isError(node: ts.NewExpression): boolean {
    const type = checker.getTypeAtLocation(node)
    return ['message', 'name', 'stack'].every((name) => type.getProperty(name))
  }

  function kindOfProperty(name: string, { properties }: ts.ObjectLiteralExpression): string | undefined {
    const has = (other: string): boolean => properties.some((property) => property.name?.getText() === other)
    if (name === 'hint') return 'hint'
    if (has('check') && has('status') && ['message', 'next'].includes(name)) return 'check'
    // The reasons for adaptations and ignored settings.
    return name === 'reason' || (name === 'ignored' && has('names')) ? 'reason' : undefined
  }

  function argumentOf(node: ts.CallExpression | ts.NewExpression, parameter: string): ts.Expression | undefined {
    const at = checker.getResolvedSignature(node)?.parameters.findIndex(({ name }) => name === parameter) ?? -1
    return node.arguments?.[at]
  }

  function add(kind: string, expression: ts.Expression, seen: ReadonlySet<ts.Node> = new Set()): void {
    if (seen.has(expression)) return
    if (isText(expression)) keep(kind, expression)
    else for (const origin of originsOf(expression)) add(kind, origin, new Set([...seen, expression]))
  }

  /** Follows an expression to the literals that it takes its text from. */
  function originsOf(expression: ts.Expression): readonly ts.Expression[] {
    if (ts.isParenthesizedExpression(expression) || ts.isAsExpression(expression)) return [expression.expression]
    if (ts.isConditionalExpression(expression)) return [expression.whenTrue, expression.whenFalse]
    if (ts.isBinaryExpression(expression)) return [expression.left, expression.right]
    if (ts.isFunctionLike(expression)) return answersOf(expression as Body)
    if (ts.isIdentifier(expression)) return originsOfName(expression)
    if (!ts.isCallExpression(expression)) return []
    const called = checker.getResolvedSignature(expression)?.declaration as Body | undefined
    // Functions that pass a text on, such as `redact`, or join it have it in their arguments.
    return [...expression.arguments, ...(called ? answersOf(called) : [])].filter(
      (each) => isText(each) || ts.isConditionalExpression(each),
    )
  }

  function keep(kind: string, expression: ts.Expression): void {
    const source = expression.getSourceFile()
    const { line } = source.getLineAndCharacterOfPosition(expression.getStart())
    const place = `${relative(root, source.fileName)}:${line + 1}`
    const text = ts.isStringLiteralLike(expression) ? expression.text : expression.getText().replace(/^`|`$/g, '')
    const key = `${place} ${text}`
    const isName = kind === 'part' && !text.includes(' ')
    if (isName || !/[a-z]{2}/i.test(text) || found.has(key)) return
    found.set(key, { place, kind, text: text.replace(/\s*\n\s*/g, ' ') })
    // A template's values are parts of a message.
    each(expression, (node) => {
      if (ts.isTemplateSpan(node)) add('part', node.expression)
    })
  }

  /** Follows a name to its constant, or to the callers of the function that has it as a parameter. */
  function originsOfName(name: ts.Identifier): ts.Expression[] {
    const symbol = ts.isShorthandPropertyAssignment(name.parent)
      ? checker.getShorthandAssignmentValueSymbol(name.parent)
      : checker.getSymbolAtLocation(name)
    const declaration = symbol?.valueDeclaration
    if (!declaration) return []
    if (ts.isVariableDeclaration(declaration) && declaration.initializer) return [declaration.initializer]
    if (!ts.isParameter(declaration)) return []
    const owner = declaration.parent
    const at = owner.parameters.indexOf(declaration)
    return (calls.get(owner) ?? []).flatMap((call) => call.arguments?.[at] ?? [])
  }

  function answersOf({ body }: Body): ts.Expression[] {
    if (!body) return []
    if (!ts.isBlock(body)) return [body]
    const answers: ts.Expression[] = []
    each(body, (node) => {
      if (ts.isReturnStatement(node) && node.expression) answers.push(node.expression)
    })
    return answers
  }
}

function isText(expression: ts.Expression): boolean {
  return (
    ts.isStringLiteralLike(expression) ||
    ts.isTemplateExpression(expression) ||
    (ts.isBinaryExpression(expression) && expression.operatorToken.kind === ts.SyntaxKind.PlusToken)
  )
}

function each(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node)
  node.forEachChild((child) => each(child, visit))
}

if (process.argv[1] === import.meta.filename) {
  const words = process.argv.slice(2)
  for (const { place, kind, text } of findMessages()) {
    const line = `${place}  ${kind}: ${text}`
    if (words.every((word) => line.includes(word))) console.log(line)
  }
}
