import process from 'node:process'
import { ConfigurationError } from 'outcrop'
import { createFakeBedrock } from 'outcrop/testing'
import { serveFakeBedrock } from 'outcrop/testing/node'
import { type Command, text } from './command.ts'

export const fake: Command = {
  summary: 'serves the fake Bedrock, to try things without AWS',
  usage: ['--port N          default: 8790', '--region R        default: us-east-1'],
  options: { port: { type: 'string' }, region: { type: 'string' } },
  async run(flags, _positionals, terminal) {
    const port = Number(text(flags, 'port') ?? 8790)
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new ConfigurationError('--port is a number, 0 to 65535')
    const bedrock = createFakeBedrock({ region: text(flags, 'region') ?? 'us-east-1' })
    const server = await serveFakeBedrock(bedrock, { port })
    const { accessKeyId, secretAccessKey } = bedrock.identity
    terminal.note('The fake Bedrock listens. In another shell:')
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
