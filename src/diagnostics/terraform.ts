import type { IamPolicy } from './iam-policy.ts'

/**
 * Formats a policy as a Terraform `aws_iam_policy_document` data source.
 *
 * @example
 * ```ts
 * console.log(toTerraform(iamPolicy(options)))
 * ```
 */
export function toTerraform({ Statement }: IamPolicy, name = 'bedrock'): string {
  const blocks = Statement.map(({ Sid, Effect, Action, Resource, Condition = {} }) => {
    const conditions = Object.entries(Condition).flatMap(([test, variables]) =>
      Object.entries(variables).map(([variable, values]) =>
        [
          '    condition {',
          `      test     = ${quote(test)}`,
          `      variable = ${quote(variable)}`,
          `      values   = ${list([values].flat(), 6)}`,
          '    }',
        ].join('\n'),
      ),
    )
    return [
      '  statement {',
      `    sid       = ${quote(Sid)}`,
      `    effect    = ${quote(Effect)}`,
      `    actions   = ${list(Action, 4)}`,
      `    resources = ${list([Resource].flat(), 4)}`,
      ...conditions,
      '  }',
    ].join('\n')
  })
  return `data "aws_iam_policy_document" ${quote(name)} {\n${blocks.join('\n\n')}\n}\n`
}

// `${` would start an expression.
const quote = (text: string): string => JSON.stringify(text).replaceAll('${', '$${')

function list(values: readonly string[], indent: number): string {
  if (values.length === 1) return `[${quote(values[0] as string)}]`
  const pad = ' '.repeat(indent + 2)
  return `[\n${values.map((value) => `${pad}${quote(value)},`).join('\n')}\n${' '.repeat(indent)}]`
}
