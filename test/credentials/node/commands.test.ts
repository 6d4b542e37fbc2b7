import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AwsCredentialIdentity, type CredentialProvider, CredentialsError } from 'outcrop'
import { cached, fromEnvironment } from 'outcrop/credentials'
import { fromCommand, fromNodeProviderChain, readTokenFile, withAuthRefresh } from 'outcrop/credentials/node'
import { createFakeBedrock } from 'outcrop/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestClock, everythingOf, expectVerified, rejectionOf } from '../support.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'outcrop-commands-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const path = (name: string): string => join(folder, name)
/** A command that runs a script, and notes each run in `runs`. */
const script = (name: string, code: string): string => {
  writeFileSync(
    path(name),
    `import { appendFileSync, writeFileSync } from 'node:fs'\nappendFileSync(${JSON.stringify(path('runs'))}, 'run\\n')\n${code}`,
  )
  return `"${process.execPath}" "${path(name)}"`
}
const runs = (): number => (existsSync(path('runs')) ? readFileSync(path('runs'), 'utf8').trim().split('\n').length : 0)

const keys = {
  AccessKeyId: 'ASIAEXAMPLE',
  SecretAccessKey: 'secret-example-printed',
  SessionToken: 'session-example-printed',
}
const identity: AwsCredentialIdentity = {
  accessKeyId: keys.AccessKeyId,
  secretAccessKey: keys.SecretAccessKey,
  sessionToken: keys.SessionToken,
}
const prints = (document: unknown): string =>
  script('export.mjs', `console.log(${JSON.stringify(JSON.stringify(document))})`)

describe('fromCommand', () => {
  test.each([
    ['the form of AWS STS', { Credentials: keys }],
    ['the flat form of export-credentials', { Version: 1, ...keys }],
  ])('%s', async (_, document) => {
    const provider = fromCommand(prints(document))
    await expectVerified(createFakeBedrock({ identities: [identity] }), provider)
    expect((await provider()).source?.name).toBe('command')
  })

  test('runs once for many callers, and again after an hour if it gives no expiry', async () => {
    const clock = createTestClock()
    const provider = fromCommand(prints({ Credentials: keys }), { clock })
    await Promise.all(Array.from({ length: 5 }, () => provider()))
    expect(runs()).toBe(1)
    clock.advance(3_540_000 + 1)
    await provider()
    expect(runs()).toBe(2)
  })

  test('runs again in the background five minutes before its expiry', async () => {
    const clock = createTestClock()
    const Expiration = new Date(clock.now() + 900_000).toISOString()
    const provider = fromCommand(prints({ Credentials: { ...keys, Expiration } }), { clock })
    await provider()
    clock.advance(599_000)
    await provider()
    expect(runs()).toBe(1)
    clock.advance(2_000)
    await provider()
    await expect.poll(runs).toBe(2)
  })

  test.each([240_000, 30_000])('does not run at every call for keys that live for %d ms', async (life) => {
    const clock = createTestClock()
    const Expiration = new Date(clock.now() + life).toISOString()
    const provider = fromCommand(prints({ Credentials: { ...keys, Expiration } }), { clock })
    for (let i = 0; i < 5; i++) await provider()
    clock.advance(life / 3)
    for (let i = 0; i < 5; i++) await provider()
    expect(runs()).toBe(1)
  })

  test('gets only the environment that it is given', async () => {
    const code = `console.log(JSON.stringify({ AccessKeyId: process.env.KEY, SecretAccessKey: String(process.env.HOME) }))`
    const provider = fromCommand(script('env.mjs', code), { env: { KEY: 'AKIDEXAMPLE', PATH: process.env.PATH } })
    expect(await provider()).toMatchObject({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'undefined' })
  })

  test.each([
    ['output that is not JSON', 'console.log("secret-example-printed")', /did not print credentials/],
    ['half a pair', 'console.log(JSON.stringify({ AccessKeyId: "AKIDEXAMPLE" }))', /did not print credentials/],
    [
      'expired keys',
      `console.log(JSON.stringify({ ...${JSON.stringify(keys)}, Expiration: '2020-01-01T00:00:00Z' }))`,
      /expired/,
    ],
    [
      'an invalid expiry',
      `console.log(JSON.stringify({ ...${JSON.stringify(keys)}, Expiration: 'soon' }))`,
      /not a date/,
    ],
    [
      'a failed command',
      'console.log("secret-example-printed"); console.error("no session\\naws_secret_access_key=secret-example-printed"); process.exit(7)',
      /exit code 7: no session/,
    ],
  ])('%s is a CredentialsError without a secret', async (_, code, message) => {
    const error = await rejectionOf(fromCommand(script('bad.mjs', code))())
    expect(error).toMatchObject({ code: 'credentials', message: expect.stringMatching(message) })
    expect(everythingOf(error)).not.toContain('secret-example-printed')
  })

  test('ends a hanging command and its children at the time limit', async () => {
    const child = path('child.mjs')
    writeFileSync(
      child,
      `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(path('pid'))}, String(process.pid)); setInterval(() => {}, 1000)`,
    )
    const code = `import { spawn } from 'node:child_process'; spawn(process.execPath, [${JSON.stringify(child)}]); setInterval(() => {}, 1000)`
    // Until the limit leaves a slow machine the time to start the child.
    for (let timeout = 1500; !existsSync(path('pid')); timeout *= 2) {
      const error = await rejectionOf(fromCommand(script('hang.mjs', code), { timeout })())
      const message = expect.stringContaining(`did not finish within ${timeout} ms`)
      expect(error).toMatchObject({ code: 'credentials', message })
    }
    const pid = Number(readFileSync(path('pid'), 'utf8'))
    await expect.poll(() => isAlive(pid)).toBe(false)
  })

  test('neither waits for nor ends a process that it left open, such as a browser', async () => {
    const code = `import { spawn } from 'node:child_process'
      const browser = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' })
      writeFileSync(${JSON.stringify(path('pid'))}, String(browser.pid))
      console.log(${JSON.stringify(JSON.stringify(keys))})
      browser.unref()`
    const provider = fromCommand(script('opens.mjs', code), { timeout: 50_000 })
    expect(await provider()).toMatchObject(identity)
    const pid = Number(readFileSync(path('pid'), 'utf8'))
    expect(isAlive(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
  })

  test('reports a command that cannot be started', async () => {
    const provider = fromCommand(script('hang.mjs', 'setInterval(() => {}, 1000)'), { cwd: path('nowhere') })
    const error = await rejectionOf(provider())
    expect(error).toMatchObject({ code: 'credentials', message: expect.stringContaining('cannot be started') })
    expect(everythingOf(error)).not.toContain('hang.mjs')
  })

  test('names only the program, because its arguments and variables may be secret', async () => {
    const command = `TOKEN=secret-example-1 OTHER='secret example-2' "${process.execPath}" -e "process.exit(3)" secret-example-3`
    const error = await rejectionOf(fromCommand(command)())
    expect(error).toMatchObject({ message: `${process.execPath} failed with exit code 3` })
    expect(everythingOf(error)).not.toMatch(/secret[- ]example/)
  })
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A process that nobody has waited for yet is not alive.
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

describe('withAuthRefresh', () => {
  const old = { accessKeyId: 'AKIDOLD', secretAccessKey: 'secret-example-old' }
  const fresh = { accessKeyId: 'AKIDFRESH', secretAccessKey: 'secret-example-fresh' }
  /** Reads keys from a file, as a profile does. */
  const fromFile = (): CredentialProvider => async () => {
    if (!existsSync(path('keys'))) throw new CredentialsError('The SSO session has expired')
    const { expiration, ...rest } = JSON.parse(readFileSync(path('keys'), 'utf8'))
    return { ...rest, ...(expiration && { expiration: new Date(expiration) }) }
  }
  const login = (keys: object = fresh): string =>
    script(
      'login.mjs',
      `console.log('Open https://device.sso.example.com and enter ABCD-EFGH'); writeFileSync(${JSON.stringify(path('keys'))}, ${JSON.stringify(JSON.stringify(keys))})`,
    )
  const quiet = { onOutput: () => {} }

  test('runs once for all waiting callers when the provider fails, and passes on its output', async () => {
    const lines: string[] = []
    const provider = withAuthRefresh(fromFile(), login(), { onOutput: (line) => lines.push(line) })
    const found = await Promise.all(Array.from({ length: 20 }, () => provider()))
    expect(found.every((each) => 'accessKeyId' in each && each.accessKeyId === fresh.accessKeyId)).toBe(true)
    expect(runs()).toBe(1)
    expect(lines).toEqual(['Open https://device.sso.example.com and enter ABCD-EFGH'])
  })

  test('passes on output as it arrives', async () => {
    const command = script(
      'interactive.mjs',
      `console.log('Open https://device.sso.example.com')
       import { existsSync } from 'node:fs'
       const timer = setInterval(() => { if (existsSync(${JSON.stringify(path('confirmed'))})) { clearInterval(timer); writeFileSync(${JSON.stringify(path('keys'))}, ${JSON.stringify(JSON.stringify(fresh))}) } }, 5)`,
    )
    // The command ends only after its line was heard.
    const provider = withAuthRefresh(fromFile(), command, { onOutput: () => writeFileSync(path('confirmed'), '') })
    expect(await provider()).toMatchObject(fresh)
  })

  test('does not run while the keys are valid', async () => {
    writeFileSync(path('keys'), JSON.stringify(old))
    expect(await withAuthRefresh(fromFile(), login(), quiet)()).toMatchObject(old)
    expect(runs()).toBe(0)
  })

  test('runs for expired keys', async () => {
    writeFileSync(path('keys'), JSON.stringify({ ...old, expiration: '2020-01-01T00:00:00Z' }))
    expect(await withAuthRefresh(fromFile(), login(), quiet)()).toMatchObject(fresh)
    expect(runs()).toBe(1)
  })

  test('reads the keys again after a refusal, in case of a manual login', async () => {
    writeFileSync(path('keys'), JSON.stringify(old))
    const provider = withAuthRefresh(fromFile(), login(), quiet)
    const refused = await provider()
    writeFileSync(path('keys'), JSON.stringify(fresh))
    expect(await provider({ forceRefresh: true, refused })).toMatchObject(fresh)
    expect(runs()).toBe(0)
  })

  test('runs once and replays once after a 403 from Bedrock', async () => {
    writeFileSync(path('keys'), JSON.stringify(old))
    const fake = createFakeBedrock({ identities: [fresh] })
    await expectVerified(fake, withAuthRefresh(fromFile(), login(), quiet))
    expect(fake.calls.map(({ status }) => status)).toEqual([403, 200])
    expect(runs()).toBe(1)
  })

  test('does not run again soon if it did not help', async () => {
    const clock = createTestClock()
    const useless = script('useless.mjs', 'console.log("done")')
    const provider = withAuthRefresh(fromFile(), useless, { ...quiet, clock, cooldown: 60_000 })
    await expect(provider()).rejects.toMatchObject({ code: 'credentials', hint: expect.stringContaining('by hand') })
    await expect(provider()).rejects.toMatchObject({ code: 'credentials' })
    expect(runs()).toBe(1)
    clock.advance(61_000)
    await expect(provider()).rejects.toMatchObject({ code: 'credentials' })
    expect(runs()).toBe(2)
  })

  test('reports a command that fails or hangs', async () => {
    const fails = script('fails.mjs', 'console.error("access denied"); process.exit(2)')
    await expect(withAuthRefresh(fromFile(), fails, quiet)()).rejects.toThrow(/exit code 2: access denied/)
    const hangs = script('hangs.mjs', 'setInterval(() => {}, 1000)')
    await expect(withAuthRefresh(fromFile(), hangs, { ...quiet, timeout: 300 })()).rejects.toThrow(
      /did not finish within 300 ms/,
    )
  })

  test('runs before an export command', async () => {
    const order = path('order')
    const exporting = script(
      'exporting.mjs',
      `import { existsSync } from 'node:fs'
       appendFileSync(${JSON.stringify(order)}, 'export\\n')
       if (!existsSync(${JSON.stringify(path('keys'))})) process.exit(1)
       console.log(${JSON.stringify(JSON.stringify({ Credentials: keys }))})`,
    )
    const refreshing = script(
      'refreshing.mjs',
      `appendFileSync(${JSON.stringify(order)}, 'refresh\\n'); writeFileSync(${JSON.stringify(path('keys'))}, '')`,
    )
    const provider = withAuthRefresh(fromCommand(exporting), refreshing, quiet)
    expect(await provider()).toMatchObject({ accessKeyId: keys.AccessKeyId })
    expect(readFileSync(order, 'utf8').trim().split('\n').slice(-2)).toEqual(['refresh', 'export'])
  })

  test('runs if a forced renewal returns the same keys', async () => {
    writeFileSync(path('keys'), JSON.stringify(old))
    const provider = withAuthRefresh(fromFile(), login(), quiet)
    await provider()
    expect(await provider({ forceRefresh: true })).toMatchObject(fresh)
    expect(runs()).toBe(1)
  })

  test("runs for the errors of AWS's own providers, and for no others", async () => {
    const failing = (name: string): CredentialProvider => {
      const read = fromFile()
      return () =>
        read().catch(() => {
          throw Object.assign(new Error('The SSO session has expired'), { name })
        })
    }
    expect(await withAuthRefresh(failing('CredentialsProviderError'), login(), quiet)()).toMatchObject(fresh)
    rmSync(path('keys'))
    await expect(withAuthRefresh(failing('TypeError'), login(), quiet)()).rejects.toMatchObject({ name: 'TypeError' })
    expect(runs()).toBe(1)
  })

  test('detects a manual login, also while the command pauses and afterwards', async () => {
    const clock = createTestClock()
    const useless = script('useless.mjs', 'console.log("done")')
    const provider = withAuthRefresh(fromFile(), useless, { ...quiet, clock })
    await expect(provider()).rejects.toMatchObject({ code: 'credentials' })
    writeFileSync(path('keys'), JSON.stringify(old))
    clock.advance(10_000)
    expect(await provider()).toMatchObject(old)
    rmSync(path('keys'))
    clock.advance(3_600_000)
    await expect(provider()).rejects.toMatchObject({ code: 'credentials' })
    expect(runs()).toBe(2)
  })

  test('ends if its output listener throws', async () => {
    const onOutput = (): void => {
      throw new RangeError('nobody listens')
    }
    const chatty = script('chatty.mjs', 'console.log("hello"); setInterval(() => {}, 1000)')
    await expect(withAuthRefresh(fromFile(), chatty, { onOutput })()).rejects.toThrow('nobody listens')
  })

  test("opens no login if AWS's package is missing, and says to install it", async () => {
    const loader = (): never => {
      throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
    }
    const login = script('login.mjs', '')
    const provider = withAuthRefresh(fromNodeProviderChain({ profile: 'dev', loader }), login, quiet)
    await expect(provider()).rejects.toMatchObject({
      message: expect.stringContaining('is not installed'),
      command: 'npm install @aws-sdk/credential-provider-node',
    })
    expect(runs()).toBe(0)
  })

  test('does not run if keys in the environment would win, and says so', async () => {
    const fake = createFakeBedrock({ identities: [fresh] })
    const env = { AWS_ACCESS_KEY_ID: old.accessKeyId, AWS_SECRET_ACCESS_KEY: old.secretAccessKey }
    fake.fail('expired-token', { times: 5 })
    const credentials = withAuthRefresh(fromEnvironment(env), script('login.mjs', ''), quiet)
    await expect(expectVerified(fake, credentials)).rejects.toMatchObject({
      code: 'credentials',
      message: expect.stringContaining('the environment takes precedence over what'),
      hint: expect.stringMatching(/^Unset AWS_ACCESS_KEY_ID and the variables that go with it, or set AWS_PROFILE/),
    })
    const expired = fromEnvironment({ ...env, AWS_CREDENTIAL_EXPIRATION: '2020-01-01T00:00:00Z' })
    await expect(withAuthRefresh(expired, script('login.mjs', ''), quiet)()).rejects.toThrow(
      /environment takes precedence/,
    )
    expect(runs()).toBe(0)
  })

  test('shows a question without a line break while it waits', async () => {
    const answer = path('answer')
    const asks = script(
      'asks.mjs',
      `import { existsSync } from 'node:fs'
       process.stdout.write('Press Enter in the browser: ')
       const waiting = setInterval(() => { if (existsSync(${JSON.stringify(answer)})) { console.log('thanks'); clearInterval(waiting) } }, 10)`,
    )
    const lines: string[] = []
    // The command goes on only once somebody has seen its question.
    const onOutput = (line: string): void => {
      lines.push(line)
      writeFileSync(answer, '')
    }
    await expect(withAuthRefresh(fromFile(), asks, { onOutput })()).rejects.toMatchObject({ code: 'credentials' })
    expect(lines).toEqual(['Press Enter in the browser: ', 'thanks'])
  })

  test('limits an endless line, and shows the lines after it whole', async () => {
    const lines: string[] = []
    const long = script('long.mjs', `process.stdout.write('x'.repeat(4_000_000) + '\\nthe end\\r\\n')`)
    const provider = withAuthRefresh(fromFile(), long, { onOutput: (line) => lines.push(line) })
    await expect(provider()).rejects.toMatchObject({ code: 'credentials' })
    expect(lines.map(({ length }) => length)).toEqual([8193, 'the end'.length])
  })

  test("shows AWS's login commands whole in errors, and only the program of others", async () => {
    const env = { PATH: path('bin') }
    mkdirSync(path('bin'))
    for (const name of ['aws', 'corp-login']) {
      writeFileSync(path(`bin/${name}`), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
    }
    const shownFor = async (command: string): Promise<unknown> =>
      rejectionOf(withAuthRefresh(fromFile(), command, { ...quiet, env })())
    expect(await shownFor('aws sso login --profile dev')).toMatchObject({
      command: 'aws sso login --profile dev',
      hint: 'Run `aws sso login --profile dev` by hand.',
    })
    const error = await shownFor('TOKEN=secret-example-1 corp-login --password secret-example-2')
    expect(error).toMatchObject({ hint: 'Run the refresh command (corp-login …) by hand.' })
    expect(error).not.toHaveProperty('command')
    expect(everythingOf(error)).not.toContain('secret-example')
  })

  test('removes secrets from its output', async () => {
    const lines: string[] = []
    const leaky = script('leaky.mjs', 'console.log("export AWS_SESSION_TOKEN=session-example-leaked")')
    const provider = withAuthRefresh(fromFile(), leaky, { onOutput: (line) => lines.push(line) })
    await expect(provider()).rejects.toMatchObject({ code: 'credentials' })
    expect(lines).toEqual(['export AWS_SESSION_TOKEN=[redacted]'])
  })

  test('does not cache a cached provider again', () => {
    const provider = withAuthRefresh(fromFile(), 'true', quiet)
    expect(cached(provider)).toBe(provider)
  })
})

test('readTokenFile', async () => {
  writeFileSync(path('token'), 'token-example\n')
  expect(await readTokenFile(path('token'))).toBe('token-example')
  await expect(readTokenFile(path('missing'))).rejects.toMatchObject({ code: 'credentials' })
})

describe('files that do not end', () => {
  test('a FIFO, a device, a folder and a huge file are rejected as token files', async () => {
    execFileSync('mkfifo', [path('fifo')])
    writeFileSync(path('huge'), 'x'.repeat(1_048_577))
    for (const [name, reason] of [
      [path('fifo'), 'it is not a regular file'],
      ['/dev/zero', 'it is not a regular file'],
      [folder, 'it is not a regular file'],
      [path('huge'), 'it is larger than 1048576 bytes'],
    ] as const)
      await expect(readTokenFile(name)).rejects.toMatchObject({
        code: 'credentials',
        message: `The token file ${name} cannot be read: ${reason}`,
      })
  })

  test('a FIFO is rejected as a profile', async () => {
    execFileSync('mkfifo', [path('config')])
    const error = await rejectionOf(
      fromNodeProviderChain({
        configFilepath: path('config'),
        filepath: path('none'),
        loader: async () => ({ defaultProvider: () => async () => Promise.reject(new Error('not asked')) }),
      })(),
    )
    expect(error).toMatchObject({
      code: 'credentials',
      message: expect.stringContaining(`${path('config')} cannot be`),
    })
  })
})

test('a command that cannot be started is a CredentialsError without the command', async () => {
  for (const [command, env] of [
    ['helper secret-example-1\0', process.env],
    ['helper secret-example-1', { NAME: 'secret-example-2\0' }],
  ] as const) {
    const error = await rejectionOf(fromCommand(command, { env })())
    expect(error).toMatchObject({ code: 'credentials', message: expect.stringContaining('cannot be started') })
    expect(everythingOf(error)).not.toContain('secret-example')
  }
})

test.each([[() => fromCommand(' ')], [() => withAuthRefresh(async () => identity, '')]])(
  'rejects an empty command at once',
  (make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'configuration' }))
  },
)
