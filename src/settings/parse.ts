import { ConfigurationError } from '../core/errors.ts'
import { isJsonObject } from '../core/internal/json.ts'
import type { Environment } from '../core/internal/env.ts'
import type { JsonValue } from '../core/types.ts'
import { describeSource, type Setting, type Settings, type SettingSource } from './settings.ts'

/**
 * The settings in environment variables. An empty variable counts as unset.
 *
 * @example
 * ```ts
 * const bedrock = createBedrockClient(toClientOptions(settingsFromEnvironment(process.env)))
 * ```
 */
export function settingsFromEnvironment(env: Environment): Settings {
  const source: SettingSource = { kind: 'environment' }
  const entries = Object.entries(env).flatMap(([name, value]): [string, Setting<string>][] =>
    value?.trim() ? [[name, { value: value.trim(), source }]] : [],
  )
  return { env: Object.fromEntries(entries) }
}

/**
 * The settings in a settings file's JSON. Keys that are not for a client are passed over.
 *
 * @param isTrusted - whether its commands and variables count; where not, `model`, `modelOverrides` and
 *   `availableModels` alone do: a cloned repository must not run anything by being opened
 * @throws ConfigurationError for a value of the wrong kind, naming the key and the file.
 */
export function settingsFromFile(document: JsonValue, source: SettingSource, isTrusted: boolean): Settings {
  if (!isJsonObject(document)) throw wrong('The document', source, 'an object')
  const { env, model, modelOverrides, availableModels, awsAuthRefresh, awsCredentialExport } = document
  const text = (key: string, value: JsonValue | undefined): Setting<string> | undefined => {
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value !== 'string') throw wrong(key, source, 'a text')
    return { value, source }
  }
  const commands = isTrusted
    ? {
        awsAuthRefresh: text('awsAuthRefresh', awsAuthRefresh),
        awsCredentialExport: text('awsCredentialExport', awsCredentialExport),
      }
    : {}
  return {
    env: isTrusted ? envBlock(env, source) : {},
    model: text('model', model),
    modelOverrides: overrides(modelOverrides, source),
    availableModels: names(availableModels, source),
    ...commands,
  }
}

function envBlock(env: JsonValue | undefined, source: SettingSource): Settings['env'] {
  if (env === undefined || env === null) return {}
  if (!isJsonObject(env)) throw wrong('env', source, 'an object of variables')
  const entries = Object.entries(env).flatMap(([name, value]): [string, Setting<string>][] => {
    if (value === undefined || value === null || value === '') return []
    if (typeof value === 'object') throw wrong(`env.${name}`, source, 'a text')
    // JSON writes a switch as 1 or true.
    return [[name, { value: String(value).trim(), source }]]
  })
  return Object.fromEntries(entries)
}

function overrides(value: JsonValue | undefined, source: SettingSource): Settings['modelOverrides'] {
  if (value === undefined || value === null) return undefined
  if (!isJsonObject(value)) throw wrong('modelOverrides', source, 'an object of model IDs')
  for (const [key, target] of Object.entries(value)) {
    if (typeof target !== 'string' || !target) throw wrong(`modelOverrides.${key}`, source, 'a model ID or ARN')
  }
  return { value: value as Readonly<Record<string, string>>, source }
}

function names(value: JsonValue | undefined, source: SettingSource): Settings['availableModels'] {
  if (value === undefined || value === null) return undefined
  if (!Array.isArray(value) || !value.every((name): name is string => typeof name === 'string'))
    throw wrong('availableModels', source, 'a list of names')
  return { value, source }
}

function wrong(key: string, source: SettingSource, kind: string): ConfigurationError {
  return new ConfigurationError(`${key} in ${describeSource(source)} is not ${kind}`)
}
