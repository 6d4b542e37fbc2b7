import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { isBedrockError } from 'outcrop'
import { createFakeBedrock, type FakeBedrock, type FaultName } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'
import { type Command, type Flags, text, UsageError, whole } from './command.ts'
import { onPort } from './listen.ts'

const longestLatency = 600_000

export const fake: Command = {
  summary: 'serves a fake Bedrock, to try things without AWS',
  usage: [
    '--port N          default: 8790; 0 picks a free port',
    '--region R        default: us-east-1',
    "--reply TEXT      the models' answer; default: a reply that fits the request",
    '--latency MS      the delay before each answer',
    '--fail NAME[:N]   fail the next call, or the next N calls; repeatable;',
    '                  docs/testing.md lists the names',
  ],
  options: {
    port: { type: 'string' },
    region: { type: 'string' },
    reply: { type: 'string' },
    latency: { type: 'string' },
    fail: { type: 'string', multiple: true },
  },
  async run(flags, terminal) {
    const port = whole(flags, 'port', 65_535) ?? 8790
    const latency = whole(flags, 'latency', longestLatency) ?? 0
    const bedrock = createFakeBedrock({ region: text(flags, 'region') ?? 'us-east-1', reply: text(flags, 'reply') })
    scheduleFaults(bedrock, flags)
    const slowFetch: typeof fetch = async (input, init) => {
      await delay(latency, undefined, { signal: init?.signal ?? undefined })
      return bedrock.fetch(input, init)
    }
    const server = await onPort(port, () =>
      serveFakeBedrock(latency > 0 ? { ...bedrock, fetch: slowFetch } : bedrock, { port }),
    )
    const { accessKeyId, secretAccessKey } = bedrock.identity
    terminal.note('The fake Bedrock is listening. In another shell:')
    terminal.print(`export AWS_ENDPOINT_URL=${server.url}`)
    terminal.print(`export AWS_ENDPOINT_URL_STS=${server.url}/sts`)
    terminal.print(`export AWS_REGION=${bedrock.region}`)
    terminal.print(`export AWS_ACCESS_KEY_ID=${accessKeyId}`)
    terminal.print(`export AWS_SECRET_ACCESS_KEY=${secretAccessKey}`)
    await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve))
    await server.close()
    return 0
  },
}

function scheduleFaults(bedrock: FakeBedrock, { fail = [] }: Flags): void {
  for (const fault of Array.isArray(fail) ? fail : [fail]) {
    const [, name = '', times = '1'] = /^(.*?)(?::(.*))?$/s.exec(String(fault)) ?? []
    if (!/^[1-9]\d{0,8}$/.test(times))
      throw new UsageError(`--fail ${name}: the count must be a whole number, 1 or more.`)
    try {
      bedrock.fail(name as FaultName, { times: Number(times) })
    } catch (error) {
      throw isBedrockError(error) ? new UsageError(`${error.message}. ${error.hint}`) : error
    }
  }
}
