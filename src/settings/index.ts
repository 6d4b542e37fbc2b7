/**
 * The settings of Claude Code on Amazon Bedrock, as a client's options. Any runtime; files are read by
 * `outcrop/settings/node`.
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
