/**
 * The default version of each family. Claude Code's setup page uses Sonnet 4.6, Opus 4.6 and Haiku 4.5. It does not
 * list Fable; Fable 5.1 needs a data retention setting first.
 */
const versions = {
  opus: 'claude-opus-4-6',
  sonnet: 'claude-sonnet-4-6',
  haiku: 'claude-haiku-4-5',
  fable: 'claude-fable-5',
} as const

/** A model family that can be pinned. */
export type ModelFamily = keyof typeof versions

/** The families that have their own alias and pin. */
export const families = /* @__PURE__ */ Object.keys(versions) as readonly ModelFamily[]

/** The families that the setup page pins. Fable is left out, because not every account may call it. */
export const familiesToPin: readonly ModelFamily[] = ['opus', 'sonnet', 'haiku']

/**
 * The aliases that need no option. Those that are not families come from Claude Code, except `small`, which is its
 * background model: https://code.claude.com/docs/en/model-config
 */
export const builtInAliases: Readonly<Record<string, string>> = /* @__PURE__ */ Object.assign({}, versions, {
  default: 'sonnet',
  small: 'haiku',
  // An account's access to Fable is unknown until it calls it.
  best: 'opus',
  // In Claude Code, Opus plans and Sonnet executes. This library cannot tell the two apart.
  opusplan: 'sonnet',
})

/** Tests whether a name is a family. */
export function isFamily(name: string | undefined): name is ModelFamily {
  return families.includes(name as ModelFamily)
}
