// A client configured by Claude Code's settings. Runs on the embedded fake Bedrock, with its own settings file.
//
//   npm run build && npx tsx examples/claude-code-settings.ts
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBedrockClient } from 'outcrop'
import { explainSettings } from 'outcrop/settings'
import { loadClientOptions, loadSettings } from 'outcrop/settings/node'
import { createFakeBedrock } from 'outcrop/testing'

const fake = createFakeBedrock({ guardrails: [{ identifier: 'gr1', versions: ['1'], blockedWords: [] }] })
const home = mkdtempSync(join(tmpdir(), 'outcrop-example-'))
mkdirSync(join(home, '.claude'))
writeFileSync(
  join(home, '.claude/settings.json'),
  JSON.stringify({
    model: 'opus',
    env: {
      CLAUDE_CODE_USE_BEDROCK: '1',
      AWS_REGION: 'us-east-1',
      ANTHROPIC_DEFAULT_OPUS_MODEL: 'us.anthropic.claude-opus-4-6-v1',
      ANTHROPIC_CUSTOM_HEADERS: 'X-Amzn-Bedrock-GuardrailIdentifier: gr1\nX-Amzn-Bedrock-GuardrailVersion: 1',
    },
  }),
)
const where = {
  home,
  cwd: home,
  env: { AWS_ACCESS_KEY_ID: fake.identity.accessKeyId, AWS_SECRET_ACCESS_KEY: fake.identity.secretAccessKey },
}
console.log(String(explainSettings(await loadSettings(where))))

// In an app: createBedrockClient(await loadClientOptions())
const bedrock = createBedrockClient({ ...(await loadClientOptions(where)), fetch: fake.fetch })
const messages = [{ role: 'user' as const, content: 'Hello!' }]
const { metadata } = await bedrock.messages.create({ model: 'default', max_tokens: 64, messages })
console.log(`\n${metadata.model.id}, guardrail: ${metadata.guardrail?.action}`)
rmSync(home, { recursive: true })
