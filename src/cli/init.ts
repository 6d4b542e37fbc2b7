import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import process from 'node:process'
import { ConfigurationError, createBedrockClient, isBedrockError } from 'outcrop'
import { type CheckResult, isHealthy, runDoctor } from 'outcrop/diagnostics'
import { assertRegion } from '../core/internal/region.ts'
import { readProfile } from '../credentials/node/shared-files.ts'
import { familiesToPin } from '../models/families.ts'
import { nearest } from '../models/names.ts'
import { commercial, gov2 } from '../models/regions.ts'
import { clientFlags, type Command, type Flags, text } from './command.ts'
import { printResult } from './doctor.ts'
import { setInEnvFile, type Variables } from './env-file.ts'
import { createPrompt, type Prompt } from './prompt.ts'
import { setInSettingsFile } from './settings-file.ts'
import { loadSetup } from './setup.ts'
import type { Terminal } from './terminal.ts'

export const init: Command = {
  summary: 'asks for Region, identity and models, checks them, and writes the environment block',
  usage: [
    '--file F          default: .env; a name that ends in .json is a settings file',
    '--region R        --profile P        --endpoint URL',
    '--model M         --small-model M    names, IDs or ARNs',
    '--pin             pin opus, sonnet and haiku to the newest that the account has',
    '--yes             do not ask: use flags and defaults',
    '--no-check        do not check the setup',
    '',
    'Answers may be piped in, one per line.',
  ],
  options: {
    ...clientFlags,
    file: { type: 'string' },
    model: { type: 'string' },
    'small-model': { type: 'string' },
    pin: { type: 'boolean' },
    yes: { type: 'boolean' },
    'no-check': { type: 'boolean' },
  },
  async run(flags, terminal) {
    const file = text(flags, 'file') ?? '.env'
    const before = await readIfThere(file)
    const interview = startInterview(flags, terminal)
    try {
      const chosen = await choose(flags, interview.ask)
      const variables = flags.pin ? { ...(await pins(flags, chosen)), ...chosen } : chosen
      const change = file.endsWith('.json')
        ? setInSettingsFile(file, before, variables)
        : setInEnvFile(before, variables)
      if (!flags['no-check'] && !(await check(flags, variables, terminal))) {
        terminal.note('The checks above failed; nothing was written. Pass --no-check to write anyway.')
        return 1
      }
      terminal.print(`\nLines for ${file}:\n`)
      for (const [name, value] of Object.entries(variables)) terminal.print(`  ${name}=${value}`)
      terminal.print()
      const answer = await interview.ask('Write it? (yes or no)', 'yes', (word) => {
        if (!/^(y|yes|n|no)$/i.test(word)) throw new ConfigurationError('Answer yes or no')
        return word
      })
      if (!/^y/i.test(answer)) throw new Ended(1)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, change)
      terminal.note(`Written: ${file}`)
      return 0
    } catch (error) {
      if (!(error instanceof Ended)) throw error
      terminal.note('Nothing was written.')
      return error.code
    } finally {
      interview.close()
    }
  },
}

/** The user has ended the questions. */
class Ended extends Error {
  readonly code: number

  constructor(code: number) {
    super()
    this.code = code
  }
}

// Each answer is checked at once, because the earlier answers are known.
async function choose(flags: Flags, ask: Ask): Promise<Variables> {
  const { env } = process
  const endpoint = text(flags, 'endpoint')
  if (endpoint) createBedrockClient({ endpoint })
  const region = await ask('AWS Region', text(flags, 'region') ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION, checkRegion)
  const profile = await ask(
    'AWS profile (empty for keys or an API key in the environment)',
    text(flags, 'profile') ?? env.AWS_PROFILE,
    checkProfile,
  )
  const { models } = createBedrockClient({ region, credentials: 'none', env: {} })
  const model = await ask('Model (empty for the default)', text(flags, 'model'), async (name) => {
    if (name) await models.resolve(name)
    return name
  })
  // A pin is an ID, because an alias would lead back to itself.
  const small = await ask('Small model (empty for the default)', text(flags, 'small-model'), async (name) =>
    name ? (await models.resolve(name)).id : '',
  )
  return {
    CLAUDE_CODE_USE_BEDROCK: '1',
    AWS_REGION: region,
    ...(profile && { AWS_PROFILE: profile }),
    ...(endpoint && { ANTHROPIC_BEDROCK_BASE_URL: endpoint }),
    ...(model && { ANTHROPIC_MODEL: model }),
    ...(small && { ANTHROPIC_DEFAULT_HAIKU_MODEL: small }),
  }
}

// New Regions appear, but no new compass directions.
const usualRegion = /-(north|south|east|west|central|northeast|northwest|southeast|southwest)-\d$/

function checkRegion(region: string): string {
  const [near] = nearest(region, [...commercial, ...gov2])
  if (usualRegion.test(region) || near === undefined) return assertRegion(region)
  throw new ConfigurationError(`Not an AWS Region: ${JSON.stringify(region)}`, { hint: `Did you mean ${near}?` })
}

async function checkProfile(profile: string): Promise<string> {
  if (profile && Object.keys(await readProfile({ profile })).length === 0)
    throw new ConfigurationError(`~/.aws has no profile ${JSON.stringify(profile)}`, {
      hint: 'Create it with `aws configure --profile` or `aws configure sso`.',
    })
  return profile
}

async function check(flags: Flags, variables: Variables, terminal: Terminal): Promise<boolean> {
  const { AWS_REGION, AWS_PROFILE, ANTHROPIC_MODEL = 'default', ANTHROPIC_DEFAULT_HAIKU_MODEL = 'small' } = variables
  const set = await loadSetup({ ...flags, region: AWS_REGION, profile: AWS_PROFILE })
  const results: CheckResult[] = []
  for await (const result of runDoctor({
    ...set,
    pinned: undefined,
    models: [ANTHROPIC_MODEL, ANTHROPIC_DEFAULT_HAIKU_MODEL],
  })) {
    results.push(result)
    printResult(result, terminal)
  }
  return isHealthy(results)
}

/** Returns the newest model of each family that the account can call, leaving out families without one. */
async function pins(flags: Flags, { AWS_REGION, AWS_PROFILE }: Variables): Promise<Variables> {
  const { client } = await loadSetup({ ...flags, region: AWS_REGION, profile: AWS_PROFILE })
  const { models } = client.withOptions({ models: { discovery: true } })
  const entries = await Promise.all(
    familiesToPin.map(async (family) => {
      const name = `ANTHROPIC_DEFAULT_${family.toUpperCase()}_MODEL`
      try {
        return [[name, (await models.resolve(family)).id]]
      } catch (error) {
        if (!isBedrockError(error, 'model_resolution')) throw error
        return []
      }
    }),
  )
  return Object.fromEntries(entries.flat())
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return ''
    throw new ConfigurationError(`${file} cannot be read: ${message}`, { cause })
  }
}

/** Asks until the answer is valid; an empty answer selects the default. */
type Ask = (
  question: string,
  preset: string | undefined,
  check: (answer: string) => string | Promise<string>,
) => Promise<string>

function startInterview(flags: Flags, terminal: Terminal): { readonly ask: Ask; close(): void } {
  if (flags.yes) return { ask: async (_question, preset = '', check) => check(preset), close: () => {} }
  let isInterrupted = false
  const prompt: Prompt = createPrompt(() => {
    isInterrupted = true
    prompt.close()
  })
  const ask: Ask = async (question, preset = '', check) => {
    for (;;) {
      const line = await prompt.ask(terminal.format(`${question}${preset && ` [${preset}]`}: `))
      if (line === undefined) throw new Ended(isInterrupted ? 130 : 1)
      try {
        return await check(line.trim() || preset)
      } catch (error) {
        // In a pipe, the next line answers the next question.
        if (!isBedrockError(error) || !process.stdin.isTTY) throw error
        terminal.note(`${error.message}${error.hint ? `. ${error.hint}` : ''}`)
      }
    }
  }
  return { ask, close: prompt.close }
}
