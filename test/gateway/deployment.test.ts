import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { gateway } from '../../src/cli/gateway.ts'
import { connect } from './support.ts'

// The recipes in examples/deploy that no runtime here can run whole. `npm run examples` runs the others.

const recipe = (name: string): string => readFileSync(new URL(`../../examples/deploy/${name}`, import.meta.url), 'utf8')

/** The flags behind `outcrop gateway`, as the command itself reads them. */
function flagsOf([program, command, ...args]: readonly string[]): Record<string, unknown> {
  expect(program).toMatch(/\/\.bin\/outcrop$/)
  expect(command).toBe('gateway')
  return parseArgs({ args, options: gateway.options, strict: true }).values
}

const isPrivate = { host: '127.0.0.1', keys: '/etc/outcrop/keys.json' }
const isPublic = { host: '0.0.0.0', keys: '/etc/outcrop/keys.json', 'drain-delay': '5' }

test('the systemd unit starts a gateway on this machine, with its keys file', () => {
  const [, line = ''] = /^ExecStart=(.*)$/m.exec(recipe('outcrop-gateway.service')) ?? []
  expect(flagsOf(line.split(' '))).toMatchObject(isPrivate)
})

const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0
test.skipIf(!hasSystemd)('systemd-analyze accepts the unit', () => {
  const directory = mkdtempSync(join(tmpdir(), 'outcrop-'))
  const unit = join(directory, 'outcrop-gateway.service')
  // The program and the user are not on this machine.
  const text = recipe('outcrop-gateway.service').replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true')
  writeFileSync(unit, text.replace(/^User=.*$/m, 'User=daemon'))
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' })
  rmSync(directory, { recursive: true })
  expect(stderr.split('\n').filter((line) => line.includes('outcrop-gateway'))).toEqual([])
  expect(status).toBe(0)
})

test('the image starts a reachable gateway as an unprivileged user that receives signals', () => {
  const text = recipe('Dockerfile')
  const [, command = ''] = /^CMD (\[.*\])$/m.exec(text) ?? []
  expect(flagsOf(JSON.parse(command))).toMatchObject(isPublic)
  expect(text).toMatch(/^USER node$/m)
})

test('the pods have existing probe routes, and enough time to drain', async () => {
  const documents = parseAllDocuments(recipe('kubernetes.yaml'))
  expect(documents.flatMap(({ errors }) => errors)).toEqual([])
  const [deployment, account, service] = documents.map((document) => document.toJS())
  const { spec } = deployment.spec.template
  const [container] = spec.containers
  expect(flagsOf(container.args)).toMatchObject({ ...isPublic, redis: 'redis://redis:6379' })
  expect(container.ports[0].containerPort).toBe(8787)
  expect(container.volumeMounts[0].mountPath).toBe('/etc/outcrop')
  expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(60)
  expect(spec.serviceAccountName).toBe(account.metadata.name)
  expect(service.spec.selector).toEqual(deployment.spec.selector.matchLabels)
  expect(service.spec.selector).toEqual(deployment.spec.template.metadata.labels)
  const { call } = await connect()
  for (const probe of ['startupProbe', 'readinessProbe'])
    expect((await call(container[probe].httpGet.path, { headers: { 'x-api-key': '' } })).status).toBe(200)
})
