/**
 * The settings files of Claude Code, read on Node.
 *
 * @module
 */
export { clientOptionsOf, type LoadClientOptionsOptions, loadClientOptions } from './load-client-options.ts'
export { type LoadSettingsOptions, loadSettings } from './load-settings.ts'
