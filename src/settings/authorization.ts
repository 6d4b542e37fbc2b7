import type { Settings } from './settings.ts'

/** The source of the authorization for a gateway that signs by itself, in Claude Code's order of precedence. */
export type GatewayAuthorization =
  | 'AWS_BEARER_TOKEN_BEDROCK'
  | 'ANTHROPIC_AUTH_TOKEN'
  | 'apiKeyHelper'
  | 'ANTHROPIC_CUSTOM_HEADERS'

/** Returns where the authorization for a gateway comes from; `undefined` if requests are sent without one. */
export function authorizationOf(settings: Settings): GatewayAuthorization | undefined {
  const { env, apiKeyHelper } = settings
  if (env.AWS_BEARER_TOKEN_BEDROCK) return 'AWS_BEARER_TOKEN_BEDROCK'
  if (env.ANTHROPIC_AUTH_TOKEN) return 'ANTHROPIC_AUTH_TOKEN'
  if (apiKeyHelper) return 'apiKeyHelper'
  return hasAuthorizationHeader(settings) ? 'ANTHROPIC_CUSTOM_HEADERS' : undefined
}

/** Whether one of the custom headers is `Authorization`. */
export function hasAuthorizationHeader({ env }: Settings): boolean {
  return /^[ \t]*authorization[ \t]*:/im.test(env.ANTHROPIC_CUSTOM_HEADERS?.value ?? '')
}
