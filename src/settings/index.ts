/**
 * The settings of Claude Code on Amazon Bedrock, as options of a client. Runs on any runtime; `outcrop/settings/node`
 * reads the files.
 *
 * @module
 */
export { toClientOptions } from './client-options.ts'
export {
  explainSettings,
  type IgnoredSetting,
  type SettingExplanation,
  type SettingsExplanation,
} from './explain.ts'
export { mergeSettings } from './merge.ts'
export { settingsFromEnvironment, settingsFromFile } from './parse.ts'
export type { Setting, Settings, SettingSource, UntakenSetting } from './settings.ts'
