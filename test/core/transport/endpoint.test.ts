import { createBedrockClient } from 'outcrop/core'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { capturingFetch, keys } from './capture.ts'

afterEach(() => vi.unstubAllEnvs())

/** Where one runtime call and one control call of a client go. */
async function hosts(options: Parameters<typeof createBedrockClient>[0]) {
  const { fetch, requests } = capturingFetch()
  const client = createBedrockClient({ credentials: keys, ...options, fetch })
  await client.fetch('/model/m/invoke', { body: '{}' })
  await client.fetch('/inference-profiles')
  return requests.map(({ url }) => url.replace('/model/m/invoke', '').replace('/inference-profiles', ''))
}

describe("AWS's own hosts", () => {
  // One Region of each partition.
  test.each([
    ['us-east-1', 'amazonaws.com'],
    ['cn-north-1', 'amazonaws.com.cn'],
    ['us-gov-west-1', 'amazonaws.com'],
    ['eusc-de-east-1', 'amazonaws.eu'],
    ['us-iso-east-1', 'c2s.ic.gov'],
    ['us-isob-east-1', 'sc2s.sgov.gov'],
    ['eu-isoe-west-1', 'cloud.adc-e.uk'],
    ['us-isof-south-1', 'csp.hci.ic.gov'],
  ])('%s', async (region, suffix) => {
    expect(await hosts({ region })).toEqual([
      `https://bedrock-runtime.${region}.${suffix}`,
      `https://bedrock.${region}.${suffix}`,
    ])
  })

  test.each([
    [{ fips: true }, 'bedrock-runtime-fips.us-east-1.amazonaws.com', 'bedrock-fips.us-east-1.amazonaws.com'],
    [{ dualstack: true }, 'bedrock-runtime.us-east-1.api.aws', 'bedrock.us-east-1.api.aws'],
    [{ fips: true, dualstack: true }, 'bedrock-runtime-fips.us-east-1.api.aws', 'bedrock-fips.us-east-1.api.aws'],
  ])('%j', async (endpoint, runtime, control) => {
    expect(await hosts({ region: 'us-east-1', endpoint })).toEqual([`https://${runtime}`, `https://${control}`])
  })

  test('China has its own dual-stack suffix', async () => {
    expect(await hosts({ region: 'cn-north-1', endpoint: { dualstack: true } })).toEqual([
      'https://bedrock-runtime.cn-north-1.api.amazonwebservices.com.cn',
      'https://bedrock.cn-north-1.api.amazonwebservices.com.cn',
    ])
  })

  test('the variables for FIPS and dual-stack apply', async () => {
    vi.stubEnv('AWS_USE_FIPS_ENDPOINT', 'true')
    vi.stubEnv('AWS_USE_DUALSTACK_ENDPOINT', 'true')
    expect(await hosts({ region: 'us-gov-west-1' })).toEqual([
      'https://bedrock-runtime-fips.us-gov-west-1.api.aws',
      'https://bedrock-fips.us-gov-west-1.api.aws',
    ])
  })
})

describe('custom endpoints', () => {
  test('use a URL for both hosts, and keep its base path', async () => {
    expect(await hosts({ region: 'us-east-1', endpoint: 'https://gateway.example/bedrock/' })).toEqual([
      'https://gateway.example/bedrock',
      'https://gateway.example/bedrock',
    ])
  })

  test('use `control` for the control host', async () => {
    expect(
      await hosts({
        region: 'us-east-1',
        endpoint: { url: 'https://a.example', control: new URL('https://b.example/c') },
      }),
    ).toEqual(['https://a.example', 'https://b.example/c'])
  })

  test('use an interface endpoint as it is', async () => {
    const vpce = 'https://vpce-0abc.bedrock-runtime.us-east-1.vpce.amazonaws.com'
    expect(await hosts({ region: 'us-east-1', endpoint: vpce })).toEqual([vpce, vpce])
  })

  test("keep AWS's own control host for a given runtime host", async () => {
    expect(await hosts({ region: 'us-east-1', endpoint: 'https://bedrock-runtime.us-east-1.amazonaws.com' })).toEqual([
      'https://bedrock-runtime.us-east-1.amazonaws.com',
      'https://bedrock.us-east-1.amazonaws.com',
    ])
  })

  test("keep AWS's own runtime host for a given control host", async () => {
    expect(await hosts({ region: 'us-east-1', endpoint: 'https://bedrock.us-east-1.amazonaws.com' })).toEqual([
      'https://bedrock-runtime.us-east-1.amazonaws.com',
      'https://bedrock.us-east-1.amazonaws.com',
    ])
  })

  // `evilamazonaws.com` is not AWS: it is used as configured, and no host name is derived from it.
  test.each(['evilamazonaws.com', 'amazonaws.com.evil.example', 'evilapi.aws'])(
    'do not take %s for AWS',
    async (domain) => {
      const url = `https://bedrock-runtime.us-east-1.${domain}`
      expect(await hosts({ region: 'us-east-1', endpoint: url })).toEqual([url, url])
    },
  )

  test.each([
    ['bedrock-runtime', 'us-east-1', 'eu-west-1'],
    ['bedrock-runtime-fips', 'us-east-1', 'us-east-2'],
    ['bedrock', 'us-east-1', 'eu-west-1'],
    ['bedrock-runtime', 'us-gov-east-1', 'us-gov-west-1'],
    ['bedrock-runtime', 'us-east-10', 'us-east-1'],
  ])("reject AWS's host %s of %s for %s", async (service, host, region) => {
    await expect(hosts({ region, endpoint: `https://${service}.${host}.amazonaws.com` })).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining(`is in ${host}`),
    })
  })

  test('use each variable for its host, and the general one for both', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'https://both.example')
    expect(await hosts({ region: 'us-east-1' })).toEqual(['https://both.example', 'https://both.example'])
    vi.stubEnv('AWS_ENDPOINT_URL_BEDROCK_RUNTIME', 'https://runtime.example')
    expect(await hosts({ region: 'us-east-1' })).toEqual(['https://runtime.example', 'https://both.example'])
    vi.stubEnv('AWS_ENDPOINT_URL_BEDROCK', 'https://control.example')
    expect(await hosts({ region: 'us-east-1' })).toEqual(['https://runtime.example', 'https://control.example'])
    vi.stubEnv('AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', 'true')
    expect((await hosts({ region: 'us-east-1' }))[0]).toBe('https://bedrock-runtime.us-east-1.amazonaws.com')
  })

  test('ignore an empty variable', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_BEDROCK_RUNTIME', '')
    vi.stubEnv('AWS_ENDPOINT_URL', ' ')
    expect((await hosts({ region: 'us-east-1' }))[0]).toBe('https://bedrock-runtime.us-east-1.amazonaws.com')
  })

  test('prefer options to variables', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'https://ambient.example')
    expect(await hosts({ region: 'us-east-1', endpoint: 'https://explicit.example' })).toEqual([
      'https://explicit.example',
      'https://explicit.example',
    ])
  })

  test.each([{ fips: true }, { dualstack: true }])("prefer a variant of AWS's own host: %j", async (endpoint) => {
    vi.stubEnv('AWS_ENDPOINT_URL', 'https://ambient.example')
    expect((await hosts({ region: 'us-east-1', endpoint }))[0]).toMatch(
      /^https:\/\/bedrock-runtime(-fips)?\.us-east-1\.(amazonaws\.com|api\.aws)$/,
    )
  })

  test('ignore trailing slashes of the base path', async () => {
    expect(await hosts({ region: 'us-east-1', endpoint: 'https://gateway.example/base//' })).toEqual([
      'https://gateway.example/base',
      'https://gateway.example/base',
    ])
  })

  test.each([
    'http://localhost:8080',
    'http://bedrock.fake.localhost',
    'http://127.0.0.1:1',
    'http://127.10.20.30',
    'http://[::1]:1',
    'https://x.example',
  ])('allow %s', (endpoint) => {
    expect(() => createBedrockClient({ endpoint })).not.toThrow()
  })

  test.each([
    'http://gateway.example',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
    'http://evil-localhost',
    'http://.localhost.evil',
    'shttps://gateway.example',
    'ftp://gateway.example',
    'gateway.example',
    'https://user:pw@gateway.example',
    'https://gateway.example/?key=1',
    { url: 'https://gateway.example', fips: true },
    { url: 'https://gateway.example', dualstack: true },
  ])('reject %j at once', (endpoint) => {
    expect(() => createBedrockClient({ endpoint })).toThrow(expect.objectContaining({ code: 'configuration' }))
  })

  test('reject plain http to another host by default', () => {
    expect(() => createBedrockClient({ endpoint: { url: 'http://gateway.example', allowHttp: true } })).not.toThrow()
  })

  test('reject a FIPS variable beside a custom endpoint', async () => {
    vi.stubEnv('AWS_USE_FIPS_ENDPOINT', 'true')
    await expect(hosts({ region: 'us-east-1', endpoint: 'https://gateway.example' })).rejects.toMatchObject({
      code: 'configuration',
    })
  })
})

describe('the Region', () => {
  test('is required by the first call, which says how to set it', async () => {
    for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION']) vi.stubEnv(name, '')
    const client = createBedrockClient({ credentials: keys, fetch: capturingFetch().fetch })
    await expect(client.fetch('/inference-profiles')).rejects.toMatchObject({
      code: 'configuration',
      hint: expect.stringMatching(/region.*AWS_REGION.*AWS_DEFAULT_REGION/),
    })
  })

  test('comes from AWS_REGION before AWS_DEFAULT_REGION', async () => {
    vi.stubEnv('AWS_DEFAULT_REGION', 'eu-west-1')
    expect((await hosts({}))[0]).toContain('eu-west-1')
    vi.stubEnv('AWS_REGION', 'eu-north-1')
    expect((await hosts({}))[0]).toContain('eu-north-1')
  })

  // https://github.com/vercel/ai/issues/14096: requests went to `bedrock-runtime.undefined.`
  test.each(['', 'undefined', 'US East', 'us-east-1.evil.example/', 'us-east-1/../x', `${'a'.repeat(99)}-b-1`, 1])(
    'rejects %j in a client, a call and a custom endpoint',
    async (odd) => {
      const region = odd as string
      const refused = { code: 'configuration', message: expect.stringMatching(/^Not an AWS Region/) }
      expect(() => createBedrockClient({ region })).toThrow(expect.objectContaining(refused))
      for (const endpoint of [undefined, 'https://gateway.example']) {
        const { fetch, requests } = capturingFetch()
        const client = createBedrockClient({ region: 'us-east-1', credentials: keys, fetch, endpoint })
        await expect(client.fetch('/inference-profiles', { region })).rejects.toMatchObject(refused)
        const model = { id: 'us.anthropic.claude-sonnet-4-6', region, source: 'explicit' as const }
        await expect(client.invoke({ model, body: {} })).rejects.toMatchObject(refused)
        expect(requests).toEqual([])
      }
    },
  )
})
