import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { ConfigurationError } from 'outcrop'
import { apiKeys, createApiKey, createGateway, type Gateway, type GatewayOptions, hashApiKey } from 'outcrop/gateway'
import { type GatewayServer, keysFile, serveGateway } from 'outcrop/gateway/node'
import { clientFlags, clientUsage, type Command, type Flags, positive, text, UsageError, whole } from './command.ts'
import { defaultKeysPath, gatewayKey, guardrailOf, keyFlags, keyUsage } from './gateway-key.ts'
import { onPort } from './listen.ts'
import { connectRedis } from './redis.ts'
import { loadSetup } from './setup.ts'
import type { Terminal } from './terminal.ts'

export const gateway: Command = {
  summary: 'serves Claude on Bedrock to a team: keys, limits, metrics',
  usage: [
    '--port N            default: 8787; 0 picks a free port',
    '--host H            the address to listen on; default: 127.0.0.1, only this machine',
    `--keys FILE         the keys; default: ${defaultKeysPath()}, if it exists;`,
    '                    without keys, the gateway creates one and prints it, only on this machine',
    '--prices FILE       JSON, prices per million tokens: {"sonnet": {"input": 3, "output": 15}}',
    '--guardrail ID:V    a guardrail on every call; no key can change it',
    '--redis URL         share limits and spending between processes; needs the package ioredis',
    '--max-concurrent N  the limit of concurrent calls; default: 1000',
    '--drain-delay S     how long to keep listening after SIGTERM, in seconds; default: 0',
    '--open-metrics      serve /metrics without a key',
    '--status-page       serve a status page for operators at /; always on if only this machine is served',
    ...clientUsage.map((line) => line.replace(/ {2,}/, (gap) => `${gap}  `)),
    '',
    ...keyUsage,
  ],
  options: {
    ...clientFlags,
    ...keyFlags,
    port: { type: 'string' },
    host: { type: 'string' },
    prices: { type: 'string' },
    redis: { type: 'string' },
    'max-concurrent': { type: 'string' },
    'drain-delay': { type: 'string' },
    'open-metrics': { type: 'boolean' },
    'status-page': { type: 'boolean' },
  },
  hasWords: true,
  async run(flags, terminal, _, words = []) {
    const [word, ...rest] = words
    if (word === 'key') return gatewayKey(flags, terminal, rest)
    if (word !== undefined) throw new UsageError(`outcrop gateway takes no argument ${JSON.stringify(word)}.`)
    const port = whole(flags, 'port', 65_535) ?? 8787
    const host = text(flags, 'host') ?? '127.0.0.1'
    const { client, region } = await loadSetup(flags)
    const { authenticate, key } = await findKeys(flags, host, terminal)
    const statusPage = isLocal(host) || flags['status-page'] === true
    const redisUrl = text(flags, 'redis')
    const redis = redisUrl === undefined ? undefined : await connectRedis(redisUrl)
    const gateway = createGateway(client, {
      authenticate,
      guardrail: guardrailOf(flags),
      prices: await readPrices(text(flags, 'prices')),
      maxConcurrent: positive(flags, 'max-concurrent'),
      openMetrics: flags['open-metrics'] === true,
      statusPage,
      accessLog: (entry) => terminal.print(JSON.stringify(entry)),
      logger: loggerTo(terminal),
      ...redis?.stores,
    })
    const drainDelay = (whole(flags, 'drain-delay', 3_600) ?? 0) * 1_000
    const server = await onPort(port, () => serveGateway(gateway, { port, host, drainDelay }))
    printSettings(server, region, key, terminal)
    if (statusPage) terminal.note(`Status page: ${server.url}/. The password is an operator's key.\n`)
    warnUnlessReady(gateway, server, terminal)
    await untilStopped(server, terminal)
    redis?.disconnect()
    return 0
  },
}

/** Returns the keys in the file, or else a new one. */
async function findKeys(
  flags: Flags,
  host: string,
  terminal: Terminal,
): Promise<{ readonly authenticate: GatewayOptions['authenticate']; readonly key?: string }> {
  const path = text(flags, 'keys')
  const keys = keysFile(path ?? defaultKeysPath(), { logger: loggerTo(terminal) })
  const hasFile = path !== undefined || (await keys.exists())
  if (hasFile) {
    // Reports errors in the file now instead of to the first caller.
    await keys.read()
    return { authenticate: keys.authenticate }
  }
  if (!isLocal(host)) {
    throw new ConfigurationError('A gateway that others can reach needs keys', {
      hint: 'Create one: outcrop gateway key add NAME.',
    })
  }
  const key = createApiKey()
  return { authenticate: apiKeys([{ id: 'local', sha256: await hashApiKey(key), operator: true }]), key }
}

function isLocal(host: string): boolean {
  return /^(127(\.\d{1,3}){3}|::1|localhost)$/.test(host)
}

async function readPrices(path: string | undefined): Promise<GatewayOptions['prices']> {
  if (path === undefined) return undefined
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigurationError(`The prices in ${path} cannot be read: ${code ?? 'not JSON'}`)
  }
}

function loggerTo({ note }: Terminal): GatewayOptions['logger'] {
  const at =
    (level: string) =>
    (message: string, data?: unknown): void => {
      const { message: said = '', hint = '' } = Object(data) as { message?: string; hint?: string }
      note([`${level}: ${message}`, said, hint].filter(Boolean).join('. '))
    }
  return { debug() {}, info: at('info'), warn: at('warning'), error: at('error') }
}

/** Prints the settings for each kind of client. */
function printSettings({ url }: GatewayServer, region: string, key: string | undefined, { note }: Terminal): void {
  const shown = key ?? 'YOUR_KEY'
  const message = '{"model":"sonnet","max_tokens":100,"messages":[{"role":"user","content":"Hello"}]}'
  note(`The gateway is listening on ${url} and calls Bedrock in ${region}.`)
  if (key) note('It has one key, shown only here. The key stops working when the gateway stops.')
  const lines = [
    ['Claude Code:', `export ANTHROPIC_BASE_URL=${url} ANTHROPIC_AUTH_TOKEN=${shown}`],
    [
      "Claude Code, over Bedrock's API:",
      `export CLAUDE_CODE_USE_BEDROCK=1 ANTHROPIC_BEDROCK_BASE_URL=${url} AWS_BEARER_TOKEN_BEDROCK=${shown} AWS_REGION=${region}`,
    ],
    ["Anthropic's SDK:", `new Anthropic({ baseURL: '${url}', apiKey: '${shown}' })`],
    ['curl:', `curl ${url}/v1/messages -H 'x-api-key: ${shown}' -H 'content-type: application/json' -d '${message}'`],
  ]
  for (const [title = '', line = ''] of lines) {
    note('')
    note(title)
    note(`  ${line}`)
  }
  note('')
}

async function warnUnlessReady(gateway: Gateway, { url }: GatewayServer, { note }: Terminal): Promise<void> {
  const { ok } = await gateway.fetch(new Request(`${url}/readyz`))
  if (!ok) note('The gateway cannot call Bedrock yet, for the reason above. Run outcrop doctor for details.')
}

/** Waits for SIGTERM or SIGINT, and then for the streams in progress. A second signal ends them. */
async function untilStopped(server: GatewayServer, { note }: Terminal): Promise<void> {
  const signalled = (): Promise<unknown> =>
    new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve))
  await signalled()
  note('Draining: waiting for the streams in progress. Another signal ends them.')
  await Promise.race([server.drain(), signalled()])
  await server.close()
}
