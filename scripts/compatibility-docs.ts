// Prints docs/compatibility.md: `npx tsx scripts/compatibility-docs.ts > docs/compatibility.md`
import { compatibilityTable, modelBetas, type ModelCompatibility } from '../src/compatibility/table.ts'

const columns: readonly (readonly [field: keyof ModelCompatibility, title: string])[] = [
  ['budgetThinking', 'thinking: enabled'],
  ['adaptiveThinking', 'thinking: adaptive'],
  ['disabledThinking', 'thinking: disabled'],
  ['effort', 'effort'],
  ['structuredOutputs', 'output format, strict tools'],
  ['sampling', 'temperature, top_p, top_k'],
  ['bothSampling', 'temperature with top_p'],
  ['prefill', 'prefill'],
  ['topLevelCaching', 'top-level cache_control'],
  ['version2026', 'anthropic_version 2026-10-21'],
  ['countTokens', 'CountTokens'],
  ['source', ''],
]
const models = Object.keys(compatibilityTable)
const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

console.log(`# Compatibility

Bedrock checks bodies against its own, older copy of the Messages schema, and it differs by model. The default client makes
bodies fit: it maps what has an equivalent, drops what has not, adds the beta that a field needs, and lists all of it in
\`metadata.adaptations\`. \`compatibility: { policy: 'strict' }\` refuses instead, before anything is sent;
\`{ policy: 'pass' }\` changes nothing. A model that is not in the table passes as it is.

\`\`\`ts
const bedrock = createBedrockClient({ compatibility: { policy: 'strict' } })
\`\`\`

When Bedrock refuses a field of the Messages API or a beta, the call is repeated without it, and this client leaves it out
for that model and region from then on. Where Bedrock says no more than “invalid beta flag”, calls of one token find out
which, by halving. Messages, tools and the system prompt are never touched, and a field that the Messages API does not have
stays an error, with the name that comes nearest. \`learn: false\` switches it off.

Betas may also come in the header \`anthropic-beta\`, as for the Claude API; they join those of the body.

## What each model takes

*beta*: with a beta, which is added. Empty: not documented; passes as it is. Sources:
[AWS's parameter page](https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html) and model cards,
[Anthropic's page on Bedrock](https://platform.claude.com/docs/en/build-with-claude/claude-on-amazon-bedrock-legacy), read in the autumn of 2026.
This page is generated from the data.

${row(['', ...models])}
${row(['---', ...models.map(() => '---')])}
${columns.map(([field, title]) => row([title, ...models.map((model) => compatibilityTable[model]?.[field] ?? '')])).join('\n')}

Betas that belong to certain models, and are dropped for the others of the table:

${row(['beta', 'models'])}
${row(['---', '---'])}
${Object.entries(modelBetas)
  .map(([beta, models]) => row([`\`${beta}\``, models.join(', ')]))
  .join('\n')}

## Counting

\`messages.countTokens\` asks Bedrock, free of charge, for the base model behind a profile or ARN. Where a model is not
counted, the error says so; \`estimate: true\` reckons without a call, and marks the answer: \`{ input_tokens, estimated: true }\`.

## Usage

\`metadata.usage\` has the same four numbers wherever Bedrock put them: \`inputTokens\`, \`outputTokens\`,
\`cacheReadInputTokens\`, \`cacheWriteInputTokens\`. \`outcrop/usage\` has \`usageTracking(onUsage)\`, which tells each call's
tokens and times at its end, and \`costOf(usage, prices)\` for a price table of yours. Per call: \`requestMetadata\`,
\`serviceTier\`, \`latency\`.`)
