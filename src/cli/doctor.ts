import process from 'node:process'
import { isBedrockError } from 'outcrop'
import { type CheckResult, isHealthy, runDoctor, runGatewayDoctor } from 'outcrop/diagnostics'
import {
  clientFlags,
  clientUsage,
  type Command,
  type Flags,
  parseGuardrail,
  list,
  text,
  UsageError,
  whole,
} from './command.ts'
import { inspectSetup } from './setup.ts'
import { type Colour, type Terminal, wrap } from './terminal.ts'

export const doctor: Command = {
  summary: 'checks a setup, and says what is wrong and what to do',
  usage: [
    '--models A,B      names or IDs to check; default: default, small',
    '--guardrail ID:V  a guardrail and its version',
    "--max-tokens N    the max_tokens of your calls, or none; default: CLAUDE_CODE_MAX_OUTPUT_TOKENS's, if set",
    '--invoke          also call each model, for one token',
    '--gateway URL     check a gateway instead, with the key in OUTCROP_GATEWAY_KEY',
    '--json            print one JSON document to stdout',
    ...clientUsage,
  ],
  options: {
    ...clientFlags,
    models: { type: 'string' },
    guardrail: { type: 'string' },
    'max-tokens': { type: 'string' },
    invoke: { type: 'boolean' },
    gateway: { type: 'string' },
    json: { type: 'boolean' },
  },
  async run(flags, terminal) {
    const results: CheckResult[] = []
    const add = (result: CheckResult): void => {
      results.push(result)
      if (!flags.json) printResult(result, terminal)
    }
    try {
      const gateway = text(flags, 'gateway')
      const checks = gateway === undefined ? await clientChecks(flags, add) : gatewayChecks(flags, gateway)
      for await (const result of checks) add(result)
    } catch (error) {
      if (!isBedrockError(error)) throw error
      add({ check: 'setup', status: 'failure', message: error.message, next: error.hint })
    }
    const healthy = isHealthy(results)
    if (flags.json) terminal.print(JSON.stringify({ healthy, results }, null, 2))
    else terminal.print(`\n${healthy ? 'All essential checks passed.' : 'Some checks failed: see the failures above.'}`)
    return healthy ? 0 : 1
  },
}

async function clientChecks(flags: Flags, add: (result: CheckResult) => void): Promise<AsyncIterable<CheckResult>> {
  const guardrail = guardrailOf(text(flags, 'guardrail'))
  const set = await inspectSetup(flags, ({ message, hint }) =>
    add({ check: 'setup', status: 'failure', message: `${message}; the rest is checked without it`, next: hint }),
  )
  const maxTokens = maxTokensOf(flags, set.env?.CLAUDE_CODE_MAX_OUTPUT_TOKENS)
  return runDoctor({
    ...set,
    ...(maxTokens !== undefined && { maxTokens }),
    invoke: flags.invoke === true,
    models: list(flags, 'models') ?? set.models,
    guardrail: guardrail ?? set.guardrail,
  })
}

function maxTokensOf(flags: Flags, configured: string | undefined): number | null | undefined {
  if (text(flags, 'max-tokens') === 'none') return null
  return whole(flags, 'max-tokens', 1_000_000) ?? (Number(configured) || undefined)
}

function gatewayChecks(flags: Flags, url: string): AsyncIterable<CheckResult> {
  // Not as a flag, which everybody on the machine can see. No other variable: its key may be for somebody else.
  const key = process.env.OUTCROP_GATEWAY_KEY
  const [model] = list(flags, 'models') ?? []
  return runGatewayDoctor({
    url,
    invoke: flags.invoke === true,
    ...(key && { key }),
    ...(model !== undefined && { model }),
  })
}

const colours: Readonly<Record<CheckResult['status'], Colour>> = {
  ok: 'green',
  warning: 'yellow',
  failure: 'red',
  note: 'blue',
}

export function printResult(
  { check, subject, status, message, next }: CheckResult,
  { print, paint, columns }: Terminal,
): void {
  const indent = ' '.repeat(10)
  const [first = '', ...rest] = wrap(`${subject ? `${check} ${subject}` : check}: ${message}`, columns - indent.length)
  print(paint(colours[status], status.padEnd(indent.length)), first)
  for (const line of rest) print(indent, line)
  if (next) for (const line of wrap(`→ ${next}`, columns - indent.length)) print(indent, paint('bold', line))
}

function guardrailOf(value: string | undefined): { identifier: string; version: string } | undefined {
  if (value === undefined) return undefined
  const { identifier, version } = parseGuardrail(value)
  if (version !== undefined) return { identifier, version }
  throw new UsageError('--guardrail needs an identifier and a version, as in gr-1234:1 or gr-1234:DRAFT.')
}
