// A gateway on Cloudflare Workers. `wrangler secret put AWS_BEARER_TOKEN_BEDROCK` and `GATEWAY_KEYS`, a JSON list of
// `{ "id", "sha256" }`; AWS_REGION among `vars`. Limits hold for each isolate: give `store` one that all of them share.
import { createBedrockClient } from 'outcrop'
import { apiKeys, createGateway, type Gateway } from 'outcrop/gateway'

// One for all requests of an isolate: it keeps credentials, signing keys and what it counts.
let gateway: Gateway | undefined

export default {
  fetch(request: Request, env: Record<string, string>): Promise<Response> {
    gateway ??= createGateway(createBedrockClient({ env }), {
      authenticate: apiKeys(JSON.parse(env.GATEWAY_KEYS ?? '[]')),
      accessLog: (entry) => console.log(JSON.stringify(entry)),
    })
    return gateway.fetch(request)
  },
}
