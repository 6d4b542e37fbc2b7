import { ConfigurationError } from '../core/errors.ts'
import { isJsonObject } from '../core/internal/json.ts'
import type { Environment } from '../core/internal/env.ts'
import type { JsonObject, JsonValue } from '../core/types.ts'
import { printable } from './printable.ts'
import { describeSource, type Setting, type Settings, type SettingSource, type UntakenSetting } from './settings.ts'

/**
 * Reads settings from environment variables. An empty variable counts as unset.
 *
 * @example
 * ```ts
 * const bedrock = createBedrockClient(toClientOptions(settingsFromEnvironment(process.env)))
 * ```
 */
export function settingsFromEnvironment(env: Environment): Settings {
  const source: SettingSource = { kind: 'environment' }
  // A Worker's `env` contains more than strings.
  const entries = Object.entries(env).flatMap(([name, value]: [string, unknown]): [string, Setting<string>][] =>
    typeof value === 'string' && value.trim() ? [[name, { value: value.trim(), source }]] : [],
  )
  return { env: Object.fromEntries(entries) }
}

/**
 * Reads settings from the JSON of a settings file. Keys that do not concern a client are skipped.
 *
 * @param isTrusted - whether its commands and variables apply. If not, only `model`, `modelOverrides` and
 *   `availableModels` do: opening a cloned repository must not run anything
 * @throws ConfigurationError for a value of the wrong kind, naming the key and the file.
 */
export function settingsFromFile(document: JsonValue, source: SettingSource, isTrusted: boolean): Settings {
  if (!isJsonObject(document)) throw wrong('The document', source, 'an object')
  const origin: SettingSource = isTrusted ? source : { ...source, untrusted: true }
  const text = (key: (typeof commands)[number]): Setting<string> | undefined => {
    const value = document[key]
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value !== 'string' || value.includes('\0')) throw wrong(key, source, 'a string')
    return { value, source }
  }
  return {
    env: isTrusted ? envBlock(document.env, source) : {},
    model: modelName(document.model, origin),
    modelOverrides: overrides(document.modelOverrides, origin),
    availableModels: names('availableModels', document.availableModels, origin),
    ...(isTrusted && {
      ...Object.fromEntries(commands.map((key) => [key, text(key)])),
      fallbackModel: names('fallbackModel', document.fallbackModel, source),
      enforceAvailableModels: toggle('enforceAvailableModels', document.enforceAvailableModels, source),
    }),
    untaken: untakenOf(document, origin),
  }
}

const commands = ['awsAuthRefresh', 'awsCredentialExport', 'apiKeyHelper'] as const
const models = ['model', 'modelOverrides', 'availableModels']
const trusted: readonly string[] = [...commands, 'fallbackModel', 'enforceAvailableModels']

function untakenOf(document: JsonObject, source: SettingSource): UntakenSetting[] {
  const { env } = document
  const because = source.untrusted && 'the project is not trusted'
  const variables = because && isJsonObject(env) ? Object.keys(env).map((name) => `env.${name}`) : []
  const keys = Object.keys(document).filter((key) => key !== 'env' && !models.includes(key))
  return [
    ...variables.map((key) => ({ key, source, because })),
    ...keys
      .filter((key) => because || !trusted.includes(key))
      // `$schema` names the format.
      .filter((key) => key !== '$schema')
      .map((key) => ({ key, source, ...(because && trusted.includes(key) && { because }) })),
  ].slice(0, 200)
}

function toggle(key: string, value: JsonValue | undefined, source: SettingSource): Setting<boolean> | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'boolean') throw wrong(key, source, 'true or false')
  return { value, source }
}

function envBlock(env: JsonValue | undefined, source: SettingSource): Settings['env'] {
  if (env === undefined || env === null) return {}
  if (!isJsonObject(env)) throw wrong('env', source, 'an object of variables')
  const entries = Object.entries(env).flatMap(([name, value]): [string, Setting<string>][] => {
    if (value === undefined || value === null || value === '') return []
    // No process accepts these in its environment.
    if (!name || /[=\0]/.test(name)) throw wrong(`env.${name}`, source, 'the name of a variable')
    // In JSON a switch may be a number or a boolean.
    const text = typeof value === 'object' ? undefined : String(value).trim()
    if (text === undefined || text.includes('\0')) throw wrong(`env.${name}`, source, 'a string')
    return text ? [[name, { value: text, source }]] : []
  })
  return Object.fromEntries(entries)
}

// InvokeModel accepts 2,048 characters. Nobody needs a list of more than a thousand models.
const [maxName, maxNames] = [2048, 1000]

const isName = (value: JsonValue | undefined): value is string =>
  typeof value === 'string' && value.length <= maxName && !/[\x00-\x1f\x7f]/.test(value)

function modelName(value: JsonValue | undefined, source: SettingSource): Settings['model'] {
  if (value === undefined || value === null || value === '') return undefined
  if (!isName(value)) throw wrong('model', source, `a one-line string of at most ${maxName} characters`)
  return { value, source }
}

function overrides(value: JsonValue | undefined, source: SettingSource): Settings['modelOverrides'] {
  if (value === undefined || value === null) return undefined
  if (!isJsonObject(value)) throw wrong('modelOverrides', source, 'an object of model IDs')
  const entries = Object.entries(value)
  if (entries.length > maxNames) throw wrong('modelOverrides', source, `an object of at most ${maxNames} models`)
  for (const [key, target] of entries) {
    if (!isName(key) || !isName(target) || !target) throw wrong(`modelOverrides.${key}`, source, 'a model ID or ARN')
  }
  return { value: Object.fromEntries(entries) as Readonly<Record<string, string>>, source }
}

function names(key: string, value: JsonValue | undefined, source: SettingSource): Settings['availableModels'] {
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value) || value.length > maxNames || !value.every(isName))
    throw wrong(key, source, `a list of at most ${maxNames} names`)
  return { value, source }
}

function wrong(key: string, source: SettingSource, kind: string): ConfigurationError {
  return new ConfigurationError(`${printable(key)} in ${describeSource(source)} is not ${kind}`)
}
