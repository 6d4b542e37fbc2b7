import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

/** Where Chromium is; `undefined` where it is not installed. */
export const chromiumPath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path))

type Params = Readonly<Record<string, unknown>>
// biome-ignore lint/suspicious/noExplicitAny: what the protocol answers has a shape for every method.
type Result = any

/** A page in a browser without a window, by the Chrome DevTools Protocol. */
export interface BrowserPage {
  send(method: string, params?: Params): Promise<Result>
  /** The events that have come, by the name of their method. */
  events(method: string): Params[]
  /** Loads an address, and waits until the page is there. */
  open(url: string): Promise<void>
  /** Evaluates an expression. */
  evaluate<Value>(expression: string): Promise<Value>
  close(): Promise<void>
}

/** Starts Chromium. */
export async function openBrowser(): Promise<BrowserPage> {
  const profile = mkdtempSync(join(tmpdir(), 'outcrop-chromium-'))
  const flags =
    '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --remote-debugging-pipe'
  const child = spawn(chromiumPath as string, [...flags.split(' '), `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  const connection = connect(child)
  const { targetInfos } = await connection.send('Target.getTargets')
  const { targetId } = targetInfos.find(({ type }: { type: string }) => type === 'page')
  const { sessionId } = await connection.send('Target.attachToTarget', { targetId, flatten: true })
  const send: BrowserPage['send'] = (method, params) => connection.send(method, params, sessionId)
  for (const domain of ['Page', 'Network', 'Runtime', 'Log', 'Accessibility']) await send(`${domain}.enable`)
  return {
    send,
    events: connection.events,
    async open(url) {
      const loaded = connection.next('Page.loadEventFired')
      await send('Page.navigate', { url })
      await loaded
    },
    async evaluate(expression) {
      const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, returnByValue: true })
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
      return result.value
    },
    async close() {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      // Not killed: its own children would go on writing to the profile.
      connection.send('Browser.close').catch(() => {})
      await gone
      rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    },
  }
}

interface Connection {
  send(method: string, params?: Params, sessionId?: string): Promise<Result>
  events(method: string): Params[]
  next(method: string): Promise<void>
}

// Messages are JSON, each ended by a zero byte.
function connect(child: ChildProcess): Connection {
  const [input, output] = [child.stdio[3] as Writable, child.stdio[4] as Readable]
  const waiting = new Map<number, { resolve: (result: Result) => void; reject: (error: Error) => void }>()
  const seen: { method: string; params: Params }[] = []
  const listeners = new Map<string, () => void>()
  let text = ''
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const messages = (text + chunk).split('\0')
    text = messages.pop() as string
    for (const message of messages) {
      const { id, result, error, method, params } = JSON.parse(message)
      if (id === undefined) {
        seen.push({ method, params })
        listeners.get(method)?.()
      } else if (error) waiting.get(id)?.reject(new Error(error.message))
      else waiting.get(id)?.resolve(result)
    }
  })
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error('Chromium has ended'))
  })
  let last = 0
  return {
    send: (method, params = {}, sessionId) =>
      new Promise((resolve, reject) => {
        const id = ++last
        waiting.set(id, { resolve, reject })
        input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
      }),
    events: (name) => seen.filter(({ method }) => method === name).map(({ params }) => params),
    next: (method) =>
      new Promise((resolve) => {
        listeners.set(method, resolve)
      }),
  }
}
