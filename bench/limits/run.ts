import { simulate } from './simulate.ts'
import { strategies } from './strategies.ts'

const windows = (process.argv[2] ?? 'bucket').split(',') as ('bucket' | 'sliding' | 'calendar')[]
const counts = (process.argv[3] ?? '1,10,100').split(',').map(Number)
const load = Number(process.argv[4] ?? 1.3)
const maxTokens = Number(process.argv[5] ?? 2048)
for (const window of windows)
  for (const clients of counts) {
    for (const strategy of strategies) {
      const t = Date.now()
      const { goodput, refused, fairness, cacheHits, failed } = await simulate(strategy, {
        clients,
        window,
        load,
        maxTokens,
      })
      console.log(
        window.padEnd(9),
        String(clients).padStart(4),
        strategy.name.padEnd(30),
        [goodput, refused, fairness, cacheHits, failed].map((x) => x.toFixed(3)).join('  '),
        `${Date.now() - t} ms`,
      )
    }
  }
