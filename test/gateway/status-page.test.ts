import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BrowserPage, chromiumPath, openBrowser } from './chromium.ts'
import { type ConnectOptions, connect, key, params, serve } from './support.ts'

// A typical cross-site scripting attempt, for names and texts from outside.
const hostile = `"><script>alert(1)</script><img src=x onerror='alert(1)'>`

const operator = { caller: { operator: true }, statusPage: true } satisfies ConnectOptions
const basic = (password: string): string => `Basic ${btoa(`operator:${password}`)}`
/** A browser's request, which has only a password. */
const browse = (authorization: string): RequestInit => ({ headers: { 'x-api-key': '', authorization } })

describe('access to the status page', () => {
  test('is off by default', async () => {
    const { call } = await connect({ caller: { operator: true } })
    expect((await call('/')).status).toBe(404)
  })

  test("is granted to an operator's password in a browser", async () => {
    const { call } = await connect(operator)
    const response = await call('/', browse(basic(key)))
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  test.each([`basic   ${btoa(`operator:${key}`)} `, basic(key)])(
    'is granted in any spelling: %s',
    async (authorization) => {
      expect((await (await connect(operator)).call('/', browse(authorization))).status).toBe(200)
    },
  )

  test("is granted to an operator's key in a header", async () => {
    const { call } = await connect(operator)
    expect((await call('/')).status).toBe(200)
    expect((await call('/', browse(`Bearer ${key}`))).status).toBe(200)
  })

  test.each([
    ['no password', undefined],
    ['a wrong one', basic('wrong')],
    ['an empty one', basic('')],
    ['one without a user name', `Basic ${btoa(key)}`],
    ['one that is not base64', 'Basic !'],
    ['invalid base64 with valid letters', 'Basic abcde'],
    ['another scheme before it', `x ${basic(key)}`],
    ['something after it', `${basic(key)} x`],
    ['a line after it', `Basic ${btoa(`operator:${key}\r\nx`)}`],
    ['one that is invalid in a header', `Basic ${btoa('operator:a\r\nx-api-key: b')}`],
  ])('is refused with %s, and the browser asks for one', async (_, authorization) => {
    const { call } = await connect(operator)
    const response = await call('/', browse(authorization ?? ''))
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Basic realm="Outcrop gateway", charset="UTF-8"')
  })

  test('is refused to a key that is not an operator, and without a key even if metrics are open', async () => {
    expect((await (await connect({ statusPage: true })).call('/')).status).toBe(403)
    const { call } = await connect({ ...operator, openMetrics: true })
    expect((await call('/', browse(''))).status).toBe(401)
  })

  test('cannot be used to spend: another site could make a browser send the password', async () => {
    const { call, fake } = await connect(operator)
    for (const path of ['/v1/messages', '/model/us.anthropic.claude-sonnet-4-6/invoke', '/metrics']) {
      const method = path === '/metrics' ? 'GET' : 'POST'
      expect((await call(path, { method, ...browse(basic(key)) })).status).toBe(401)
    }
    expect(fake.calls).toHaveLength(0)
  })
})

describe('content of the status page', () => {
  const pageOf = async (options: ConnectOptions, path = '/'): Promise<{ page: string; response: Response }> => {
    const { call } = await connect({ ...operator, ...options })
    await call('/v1/messages', { json: params })
    await call('/v1/messages', { json: { ...params, model: hostile } })
    const response = await call(path)
    return { page: await response.text(), response }
  }

  test('shows calls, tokens, spending and errors', async () => {
    const prices = { sonnet: { input: 3000, output: 15_000 } }
    const { page } = await pageOf({ prices, caller: { operator: true, limits: { spendPerDay: 20 } } })
    expect(page).toMatch(/<h2 id="keys">.*alice.*<td class="number">2</s)
    expect(page).toMatch(/\d\.\d+ of 20\.00/)
    expect(page).toContain('claude-sonnet-4-6')
    expect(page).toMatch(/<h2 id="latest-errors">.*404/s)
  })

  test('escapes names and texts from outside', async () => {
    const { page, response } = await pageOf({ caller: { id: hostile, operator: true } })
    expect(page).toContain('&#60;script&#62;alert(1)&#60;/script&#62;')
    expect(page).not.toMatch(/<script|<img|onerror='/)
    const [, nonce] = /style-src 'nonce-([\w-]+)'/.exec(response.headers.get('content-security-policy') ?? '') ?? []
    expect(page).toContain(`<style nonce="${nonce}">`)
  })

  test('shows no key', async () => {
    const { page } = await pageOf({})
    expect(page).not.toContain(key)
  })

  test.each([
    ['/', undefined],
    ['/?refresh=10', '10'],
    ['/?refresh=0', undefined],
    ['/?refresh=1e9', undefined],
    ['/?refresh=10;url=http://elsewhere.example', undefined],
  ])('%s reloads after %s seconds', async (path, seconds) => {
    const { page } = await pageOf({}, path)
    expect(/http-equiv="refresh" content="([^"]*)"/.exec(page)?.[1]).toBe(seconds)
  })
})

describe.skipIf(!chromiumPath)('the status page in Chromium', () => {
  let browser: BrowserPage
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  const open = async (width: number, scheme = 'light'): Promise<string> => {
    const { call, server } = await serve({ ...operator, caller: { id: hostile.slice(0, 60), operator: true } })
    await call('/v1/messages', { json: params })
    await call('/v1/messages', { json: { ...params, model: hostile } })
    await browser.send('Emulation.setDeviceMetricsOverride', { width, height: 800, deviceScaleFactor: 1, mobile: true })
    await browser.send('Emulation.setEmulatedMedia', {
      features: [{ name: 'prefers-color-scheme', value: scheme }],
    })
    const url = `http://operator:${key}@${new URL(server.url).host}/`
    await browser.open(url)
    return url
  }

  test('applies its style, and fetches and blocks nothing else', async () => {
    const url = await open(1200)
    expect(await browser.evaluate('document.title')).toBe('Outcrop gateway: 0 calls')
    expect(await browser.evaluate("getComputedStyle(document.querySelector('table')).borderCollapse")).toBe('collapse')
    const asked = browser.events('Network.requestWillBeSent').map((event) => (event.request as { url: string }).url)
    expect([...new Set(asked)].filter((each) => !each.startsWith('data:'))).toEqual([url])
    expect(browser.events('Log.entryAdded')).toEqual([])
    expect(browser.events('Runtime.exceptionThrown')).toEqual([])
  })

  test.each([320, 360, 768, 1200])('at %d pixels, only tables scroll sideways', async (width) => {
    await open(width)
    expect(await browser.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
  })

  test.each(['light', 'dark'])('text has enough contrast in the %s scheme', async (scheme) => {
    await open(1200, scheme)
    const contrasts = await browser.evaluate<number[]>(`(${contrastsOfText})()`)
    expect(contrasts.length).toBeGreaterThan(10)
    expect(Math.min(...contrasts)).toBeGreaterThanOrEqual(4.5)
    const isDark = await browser.evaluate<boolean>(
      'Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]) < 128',
    )
    expect(isDark).toBe(scheme === 'dark')
  })

  test('the keyboard reaches every link and every scrollable table', async () => {
    await open(360)
    const reached = new Set<string>()
    for (let i = 0; i < 12; i++) {
      for (const type of ['keyDown', 'keyUp'])
        await browser.send('Input.dispatchKeyEvent', { type, key: 'Tab', code: 'Tab', windowsVirtualKeyCode: 9 })
      reached.add(
        await browser.evaluate(
          "(({ tagName, textContent, attributes: { 'aria-labelledby': by } }) => by ? by.value : tagName === 'A' ? textContent : tagName)(document.activeElement)",
        ),
      )
    }
    expect([...reached]).toEqual(expect.arrayContaining(['Reload', 'every 10 s', 'latest-errors', 'keys', 'models']))
  })

  test('headings, plots and tables have accessible names', async () => {
    await open(1200)
    const { nodes } = await browser.send('Accessibility.getFullAXTree')
    const named = (role: string): string[] =>
      nodes
        .filter((node: { role?: { value: string } }) => node.role?.value === role)
        .map((node: { name?: { value: string } }) => node.name?.value ?? '')
    expect(named('heading')).toEqual(
      expect.arrayContaining(['Outcrop gateway', 'Calls in progress', 'Latest errors', 'Keys', 'Models']),
    )
    expect(named('image')).toEqual([
      expect.stringMatching(/^Tokens per minute, the last hour: peak/),
      expect.stringMatching(/^Mean duration of a call, the last hour: peak/),
    ])
    expect(named('region')).toEqual(expect.arrayContaining(['Latest errors', 'Keys', 'Models']))
  })
})

/** Returns the contrast of each text with its background, by WCAG 2.2. Runs in the page. */
const contrastsOfText = `function () {
  const luminance = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((value) => {
      const part = value / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const ground = luminance(getComputedStyle(document.body).backgroundColor)
  return [...document.body.querySelectorAll('*')]
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .filter((element) => !element.closest('svg'))
    .map((element) => {
      const text = luminance(getComputedStyle(element).color)
      return (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05)
    })
}`
