import { printable } from './printable.ts'

/** Where a setting came from. */
export interface SettingSource {
  /** `environment` is the process's environment; the others are files, in ascending order of precedence. */
  readonly kind: 'environment' | 'user' | 'project' | 'local' | 'flag' | 'managed'
  /** The file. */
  readonly path?: string | undefined
  /** Set for a file of an untrusted project. */
  readonly untrusted?: true | undefined
}

/** A value, its source, and the values that it replaced. */
export interface Setting<T> {
  readonly value: T
  readonly source: SettingSource
  /** The values that it replaced, in descending order of precedence. */
  readonly overrode?: readonly { readonly value: T; readonly source: SettingSource }[] | undefined
}

/** Everything that configures a client, with its source. */
export interface Settings {
  /** Variables of the process, overridden by those in `env` blocks. Empty ones are left out. */
  readonly env: Readonly<Record<string, Setting<string>>>
  readonly model?: Setting<string> | undefined
  /** Anthropic model IDs to Bedrock IDs and ARNs. */
  readonly modelOverrides?: Setting<Readonly<Record<string, string>>> | undefined
  readonly availableModels?: Setting<readonly string[]> | undefined
  /** The models to call if the model of a call cannot be, in order. */
  readonly fallbackModel?: Setting<readonly string[]> | undefined
  /** Whether `availableModels` applies to `default` and `small` too. */
  readonly enforceAvailableModels?: Setting<boolean> | undefined
  /** A command that renews the credentials in `~/.aws`. */
  readonly awsAuthRefresh?: Setting<string> | undefined
  /** A command that prints credentials. */
  readonly awsCredentialExport?: Setting<string> | undefined
  /** A command that prints a bearer token for a gateway. */
  readonly apiKeyHelper?: Setting<string> | undefined
  /** Settings in files that are not used. */
  readonly untaken?: readonly UntakenSetting[] | undefined
}

/** A setting in a file that is not used. Its value is not kept. */
export interface UntakenSetting {
  /** Such as `permissions` or `env.AWS_PROFILE`. */
  readonly key: string
  readonly source: SettingSource
  /** The reason, if the key alone does not explain it. */
  readonly because?: string | undefined
}

/** Describes a source in words. */
export function describeSource({ kind, path }: SettingSource): string {
  return kind === 'environment'
    ? 'the environment'
    : `${path === undefined ? 'the settings' : printable(path)} (${kind})`
}
