// Before every test file.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'

// Tests must not depend on a developer's settings for AWS, Claude Code or a proxy.
const foreign =
  /^(AWS|ANTHROPIC|CLAUDE|OUTCROP_LOG$|BEDROCK|ECS|DISABLE|ENABLE_PROMPT|API_TIMEOUT|MAX_THINKING|(HTTPS?|ALL|NO)_PROXY$)/i
for (const name of Object.keys(process.env)) if (foreign.test(name)) delete process.env[name]
const home = join(tmpdir(), 'outcrop-tests-without-a-home')
Object.assign(process.env, { HOME: home, USERPROFILE: home, AWS_EC2_METADATA_DISABLED: 'true' })

fc.configureGlobal({
  // Without it, `maxLength` bounds nothing: arrays and strings stay at about ten elements.
  defaultSizeToMaxWhenMaxSpecified: true,
  // fast-check prints the seed of a property that fails; this repeats it.
  ...(process.env.FUZZ_SEED && { seed: Number(process.env.FUZZ_SEED) }),
})
