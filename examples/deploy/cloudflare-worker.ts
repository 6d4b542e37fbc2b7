// A gateway on Cloudflare Workers. Set AWS_BEARER_TOKEN_BEDROCK and GATEWAY_KEYS, a JSON list of `{ "id", "sha256" }`, with
// `wrangler secret put`, and AWS_REGION in `vars`. Without a shared `limitStore` and `spendStore`, each isolate has its own
// limits.
import { createBedrockClient } from 'outcrop'
import { apiKeys, createGateway, type Gateway } from 'outcrop/gateway'

// Shared by all requests of an isolate, because it caches credentials and signing keys, and counts usage.
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
