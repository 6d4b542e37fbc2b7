import { createEndpointResolver } from '../core/transport/endpoint.ts'
import type { DoctorOptions } from './doctor-options.ts'
import { causeOf, failed, type Finding } from './finding.ts'

/** Checks whether the host answers, and whether its time matches the local clock. */
export async function* checkConnection(
  { endpoint, env, fetch = globalThis.fetch, now = Date.now }: DoctorOptions,
  region: string,
): AsyncGenerator<Finding> {
  const check = 'endpoint'
  let url: string
  try {
    url = createEndpointResolver(endpoint, env)('bedrock-runtime', region)
  } catch (error) {
    yield failed(check, error)
    return
  }
  const { host } = new URL(url)
  try {
    const response = await fetch(`${url}/ping`, { redirect: 'manual', signal: AbortSignal.timeout(10_000) })
    await response.body?.cancel()
    yield { check, status: 'ok', message: `${host} answers` }
    const date = Date.parse(response.headers.get('date') ?? '')
    if (Number.isNaN(date)) return
    const seconds = Math.round((date - now()) / 1000)
    const isOff = Math.abs(seconds) > 60
    yield {
      check: 'clock',
      status: isOff ? 'warning' : 'ok',
      message: isOff
        ? `the local clock is off by ${seconds} s; requests are corrected for it`
        : 'the local clock is right',
      next: isOff ? 'Synchronize the clock, for example with `timedatectl set-ntp true`.' : undefined,
    }
  } catch (error) {
    yield {
      check,
      status: 'failure',
      message: `${host} cannot be reached: ${causeOf(error)}`,
      cause: 'connection',
      next: /CERT|SELF_SIGNED|UNABLE_TO_/.test(causeOf(error))
        ? "Tell Node the proxy's root certificate: NODE_EXTRA_CA_CERTS=/path/to/root.pem"
        : `Check DNS, the proxy (docs/errors.md has a recipe) and whether ${region} has Bedrock.`,
    }
  }
}
