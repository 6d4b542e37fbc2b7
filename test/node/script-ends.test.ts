import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCertificate } from './certificate.ts'
import { type Listening, listen, onRequest, response } from './support.ts'

const certificate = createCertificate()
let plain: Listening
let secure: Listening
let file: string
beforeAll(async () => {
  // They never close a connection by themselves.
  plain = await listen((socket) => onRequest(socket, () => socket.write(response())))
  secure = await listen((socket) => onRequest(socket, () => socket.write(response())), certificate)
  const root = resolve(import.meta.dirname, '../..')
  file = join(mkdtempSync(join(tmpdir(), 'outcrop-script-')), 'script.mjs')
  await build({
    stdin: {
      contents: `import { createBedrockClient } from './src/core/index.ts'
        import { createNodeFetch } from './src/node/index.ts'
        const { ca, ...options } = JSON.parse(process.argv[2])
        const bedrock = createBedrockClient({ ...options, ...(ca && { fetch: createNodeFetch({ ca }) }) })
        const params = { model: 'us.anthropic.claude-sonnet-4-6', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }
        await bedrock.messages.create(params)
        const { stop_reason } = await bedrock.messages.create(params)
        // undici, which implements Node's own fetch, takes longer to load than everything else.
        const loaded = process.moduleLoadList.filter((name) => name.includes('undici/undici'))
        console.log(stop_reason, loaded.join())`,
      resolveDir: root,
    },
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    alias: { '#platform': join(root, 'src/core/platform/node.ts') },
    logLevel: 'error',
  })
})
afterAll(async () => {
  await secure.close()
  await plain.close()
})

// Kept-alive sockets would hold it for as long as they are kept.
test.each(['http', 'https'])(
  'ends when its calls are done, without loading undici, over %s',
  async (scheme) => {
    const endpoint = `${scheme}://localhost:${(scheme === 'http' ? plain : secure).port}`
    const ca = scheme === 'http' ? undefined : certificate.cert
    const settings = JSON.stringify({ region: 'us-east-1', credentials: 'none', endpoint, ca })
    const { stdout } = await promisify(execFile)(process.execPath, [file, settings], { timeout: 40_000 })
    expect(stdout.trim()).toBe('end_turn')
  },
  50_000,
)
