/**
 * The fake Bedrock as handlers of Mock Service Worker.
 *
 * @module
 */
import { http, type HttpHandler } from 'msw'
import type { FakeBedrock } from '../fake.ts'

/**
 * Returns handlers that answer for AWS's own Bedrock and STS hosts, in every Region.
 *
 * @example
 * ```ts
 * const fake = createFakeBedrock()
 * setupServer(...bedrockHandlers(fake)).listen()
 * ```
 * @see https://mswjs.io/docs/api/setup-server
 */
export function bedrockHandlers(fake: FakeBedrock): HttpHandler[] {
  return [
    http.all(/^https:\/\/(bedrock|bedrock-runtime|sts)(-fips)?\.[a-z\d-]+\.(amazonaws\.|api\.aws)/, ({ request }) =>
      fake.fetch(request),
    ),
  ]
}
