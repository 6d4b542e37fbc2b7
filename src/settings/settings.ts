import { printable } from './printable.ts'

/** Where a setting came from. */
export interface SettingSource {
  /** `environment` is the process's own; the others are files, in the order of their rank. */
  readonly kind: 'environment' | 'user' | 'project' | 'local' | 'flag' | 'managed'
  /** The file. */
  readonly path?: string | undefined
  /** Set for a file of a project that is not trusted. */
  readonly untrusted?: true | undefined
}

/** One value, where it came from, and what it took the place of. */
export interface Setting<T> {
  readonly value: T
  readonly source: SettingSource
  /** What had a lower rank, the nearest first. */
  readonly overrode?: readonly { readonly value: T; readonly source: SettingSource }[] | undefined
}

/** Everything that configures a client, with its origin. */
export interface Settings {
  /** Variables: the process's own, and those of `env` blocks over them. Empty ones are left out. */
  readonly env: Readonly<Record<string, Setting<string>>>
  readonly model?: Setting<string> | undefined
  /** Anthropic model IDs to Bedrock IDs and ARNs. */
  readonly modelOverrides?: Setting<Readonly<Record<string, string>>> | undefined
  readonly availableModels?: Setting<readonly string[]> | undefined
  /** Whether `availableModels` counts for `default` and `small` too. */
  readonly enforceAvailableModels?: Setting<boolean> | undefined
  /** A command that renews what is in `~/.aws`. */
  readonly awsAuthRefresh?: Setting<string> | undefined
  /** A command that prints credentials. */
  readonly awsCredentialExport?: Setting<string> | undefined
  /** A command that prints the bearer token of a gateway. */
  readonly apiKeyHelper?: Setting<string> | undefined
  /** What stands in files and is not taken. */
  readonly untaken?: readonly UntakenSetting[] | undefined
}

/** Something in a file that is not taken. Its value is not kept. */
export interface UntakenSetting {
  /** Such as `permissions` or `env.AWS_PROFILE`. */
  readonly key: string
  readonly source: SettingSource
  /** Why, where it is not what the key itself says. */
  readonly because?: string | undefined
}

/** A source, in words. */
export function describeSource({ kind, path }: SettingSource): string {
  return kind === 'environment'
    ? 'the environment'
    : `${path === undefined ? 'the settings' : printable(path)} (${kind})`
}
