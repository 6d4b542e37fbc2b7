// Writes the Grafana dashboard for the metrics of clients and gateways, and draws it for a run against the fake.
//
//   npx tsx --tsconfig tsconfig.node.json scripts/dashboard.ts && npm run format
import { writeFileSync } from 'node:fs'
import { drawDashboard } from './dashboard/draw.ts'
import { grafanaDashboard } from './dashboard/grafana.ts'
import { runLoad } from './dashboard/load.ts'

const docs = new URL('../docs/telemetry/', import.meta.url)
writeFileSync(new URL('grafana-dashboard.json', docs), `${JSON.stringify(grafanaDashboard(), null, 2)}\n`)
writeFileSync(new URL('dashboard.svg', docs), drawDashboard(await runLoad(1800)))
