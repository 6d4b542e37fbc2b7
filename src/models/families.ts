/**
 * The version that each family's name stands for, until another one is pinned: Claude Code's setup page has Sonnet 4.6,
 * Opus 4.6 and Haiku 4.5. It has no Fable; 5.1 needs a data retention setting first.
 */
const versions = {
  opus: 'claude-opus-4-6',
  sonnet: 'claude-sonnet-4-6',
  haiku: 'claude-haiku-4-5',
  fable: 'claude-fable-5',
} as const

/** A model family that can be pinned. */
export type ModelFamily = keyof typeof versions

/** The families that have a name of their own, and can be pinned. */
export const families = Object.keys(versions) as readonly ModelFamily[]

/** Those that the setup page pins: not every account may call Fable. */
export const familiesToPin: readonly ModelFamily[] = ['opus', 'sonnet', 'haiku']

/**
 * The names that need no option, and what each stands for. Those that are no families are Claude Code's, save `small`,
 * which is its background model: https://code.claude.com/docs/en/model-config
 */
export const builtInAliases: Readonly<Record<string, string>> = {
  ...versions,
  default: 'sonnet',
  small: 'haiku',
  // Whether an account may call Fable is not known before it is called.
  best: 'opus',
  // Opus plans and Sonnet executes there; here nothing tells a plan from its execution.
  opusplan: 'sonnet',
}

/** Whether a name is a family's. */
export function isFamily(name: string | undefined): name is ModelFamily {
  return families.includes(name as ModelFamily)
}
