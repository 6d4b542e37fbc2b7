import { readFileSync } from 'node:fs'
import { linesOf } from '../../scripts/dashboard/draw.ts'
import { grafanaDashboard } from '../../scripts/dashboard/grafana.ts'
import { runLoad } from '../../scripts/dashboard/load.ts'
import { rows } from '../../scripts/dashboard/panels.ts'
import type { Scrape } from '../../scripts/dashboard/prometheus.ts'
import { beforeAll, describe, expect, test } from 'vitest'

const path = new URL('../../docs/telemetry/grafana-dashboard.json', import.meta.url)

describe('the Grafana dashboard', () => {
  let scrapes: Scrape[]
  beforeAll(async () => {
    scrapes = await runLoad(300)
  })

  test('is the output of scripts/dashboard.ts', () => {
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(grafanaDashboard())
  })

  test('uses only metrics that clients and gateways emit', () => {
    const emitted = new Set(scrapes.flatMap(({ samples }) => samples.map(({ name }) => name)))
    const named = new Set(readFileSync(path, 'utf8').match(/\b(gen_ai_client|outcrop)_\w+(?=[[{)])/g))
    expect(named.size).toBeGreaterThan(15)
    expect([...named].filter((name) => !emitted.has(name))).toEqual([])
  })

  test.each(rows.flatMap(({ title, panels }) => panels.map((panel) => [`${title}: ${panel.title}`, panel] as const)))(
    'shows data in %s, by existing labels',
    (_, panel) => {
      const lines = linesOf(panel, scrapes)
      expect(lines.flatMap(({ points }) => points).length).toBeGreaterThan(0)
      expect(lines.map(({ legend }) => legend)).not.toContain('')
    },
  )
})
