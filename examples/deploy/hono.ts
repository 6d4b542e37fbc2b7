// A gateway under a path of a larger application.
import { Hono } from 'hono'
import { createBedrockClient } from 'outcrop'
import { apiKeys, createGateway } from 'outcrop/gateway'

const gateway = createGateway(createBedrockClient(), {
  basePath: '/claude',
  authenticate: apiKeys(JSON.parse(process.env.GATEWAY_KEYS ?? '[]')),
})

const app = new Hono()
app.get('/', (context) => context.text('Claude is at /claude'))
app.all('/claude/*', (context) => gateway.fetch(context.req.raw))

export default app
