// Prints src/core/known-models.ts: `npx tsx scripts/known-models.ts > src/core/known-models.ts`
import { catalog } from '../src/models/catalog.ts'
import { builtInAliases } from '../src/models/families.ts'

const current = catalog.filter(({ lifecycle }) => lifecycle.state !== 'retired')
const names = [
  ...Object.keys(builtInAliases),
  ...current.map(({ anthropicId }) => anthropicId),
  ...current.flatMap(({ base, profiles }) => [base, ...Object.keys(profiles).map((geo) => `${geo}.${base}`)]),
]

console.log(`/**
 * The names that an editor suggests: aliases, Anthropic's IDs, and Bedrock's IDs of models and inference profiles.
 * Generated from the catalog by scripts/known-models.ts. Any other name is accepted too.
 */
export type KnownModel =
${names.map((name) => `  | '${name}'`).join('\n')}`)
