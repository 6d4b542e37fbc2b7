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

Bedrock validates bodies against its own, older copy of the Messages schema, which differs by model. The default client adapts
bodies: it converts fields that have an equivalent, removes those that have none, adds the betas that fields need, and lists every
change in \`metadata.adaptations\`. With \`compatibility: { policy: 'strict' }\` the client rejects such a body before anything is
sent. With \`{ policy: 'pass' }\` it changes nothing. Bodies for models that are not in the table are sent unchanged.

\`\`\`ts
const bedrock = createBedrockClient({ compatibility: { policy: 'strict' } })
\`\`\`

If Bedrock rejects a field of the Messages API or a beta, the client repeats the call without it, and leaves it out for that model
and Region from then on. If Bedrock says only "invalid beta flag", the client finds the beta by bisection, with calls of one token.
It never removes messages, tools or the system prompt. A field that the Messages API does not have remains an error, which suggests
the most similar name. \`learn: false\` turns this off.

Under \`anthropic_version: '2026-10-21'\` no model accepts \`temperature\`, \`top_p\` or \`top_k\`; they are removed.

You can also pass betas in the \`anthropic-beta\` header, as for the Claude API. They are added to those in the body.

## What each model accepts

*beta*: with a beta, which the client adds. Empty: not documented; sent unchanged. Sources:
[AWS's parameter page](https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html) and model cards,
[Anthropic's page on Bedrock](https://platform.claude.com/docs/en/build-with-claude/claude-on-amazon-bedrock-legacy), read in the autumn of 2026.
This page is generated from the compatibility table.

${row(['', ...models])}
${row(['---', ...models.map(() => '---')])}
${columns.map(([field, title]) => row([title, ...models.map((model) => compatibilityTable[model]?.[field] ?? '')])).join('\n')}

Betas of certain models, which are removed for other models in the table:

${row(['beta', 'models'])}
${row(['---', '---'])}
${Object.entries(modelBetas)
  .map(([beta, models]) => row([`\`${beta}\``, models.join(', ')]))
  .join('\n')}

## Counting

\`messages.countTokens\` uses Bedrock's CountTokens, which is free, for the base model behind a profile or ARN. If Bedrock does not
count a model's tokens, the error says so. \`estimate: true\` estimates without a call, and marks the result:
\`{ input_tokens, estimated: true }\`.

## Usage

\`metadata.usage\` has the same four numbers wherever Bedrock puts them: \`inputTokens\`, \`outputTokens\`,
\`cacheReadInputTokens\` and \`cacheWriteInputTokens\`. \`usageTracking(onUsage)\` from \`outcrop/usage\` reports each call's tokens
and times when it ends, and \`costOf(usage, prices)\` calculates its cost from your price table. Per call you can set
\`requestMetadata\`, \`serviceTier\` and \`latency\`.`)
