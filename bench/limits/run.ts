// Simulates `limits` in an account with more load than quota, and draws the plots of docs/limits.md. All random numbers come
// from one seed, so the same code prints the same figures.
import { writeFile } from 'node:fs/promises'
import { bars, lines } from './plot.ts'
import { type Outcome, type Setting, simulate } from './simulate.ts'
import { type Strategy, strategies, targets } from './strategies.ts'

const busy: Omit<Setting, 'clients'> = { window: 'bucket', load: 1.3, maxTokens: 2_048 }
const counts = [1, 10, 100]
const docs = new URL('../../docs/plots/', import.meta.url)
const named = (name: string): Strategy => strategies.find((strategy) => strategy.name === name) as Strategy
const shared = named('limits, one store')

function print(first: string, name: string, { goodput, refused, fairness, cacheHits, failed }: Outcome): void {
  const cells = [goodput, refused, fairness, cacheHits, failed].map((value) => value.toFixed(3).padStart(8))
  console.log(`| ${first.padEnd(10)} | ${name.padEnd(28)} |${cells.join(' |')} |`)
}
const heading = (first: string): void =>
  console.log(
    `\n| ${first.padEnd(10)} | strategy                     | goodput | refused |    Jain |    hits |  failed |`,
  )

heading('clients')
const outcomes = new Map<string, Outcome[]>()
for (const clients of counts) {
  for (const strategy of strategies) {
    const outcome = await simulate(strategy, { ...busy, clients })
    outcomes.set(strategy.name, [...(outcomes.get(strategy.name) ?? []), outcome])
    print(String(clients), strategy.name, outcome)
  }
}

heading('window')
for (const window of ['bucket', 'sliding', 'calendar'] as const) {
  for (const strategy of [named('limits, no quota known'), shared])
    print(window, strategy.name, await simulate(strategy, { ...busy, clients: 10, window }))
}

heading('max_tokens')
const sizes = [1_024, 4_096, 16_384, 65_536]
const bySize = new Map<Strategy, Outcome[]>()
for (const strategy of [named('nothing'), shared]) {
  for (const maxTokens of sizes) {
    const outcome = await simulate(strategy, { ...busy, clients: 10, maxTokens })
    bySize.set(strategy, [...(bySize.get(strategy) ?? []), outcome])
    print(String(maxTokens), strategy.name, outcome)
  }
}

heading('Regions')
print('1', shared.name, await simulate(shared, { ...busy, clients: 10 }))
for (const strategy of targets)
  print('2', strategy.name, await simulate(strategy, { ...busy, clients: 10, regions: 2 }))

const shown = ['nothing', "AWS SDK's adaptive retry", 'a token bucket', 'limits, no quota known', 'limits, one store']
const labels = counts.map((count) => (count === 1 ? '1 client' : `${count} clients`))
const series = (of: (outcome: Outcome) => number) =>
  shown.map((name) => ({ name, values: (outcomes.get(name) ?? []).map(of) }))
await writeFile(
  new URL('limits.svg', docs),
  bars([
    {
      title: 'Tokens of answered calls, in % of the quota',
      labels,
      most: 1.1,
      series: series(({ goodput }) => goodput),
    },
    { title: 'Attempts that Bedrock refused, in %', labels, most: 0.5, series: series(({ refused }) => refused) },
  ]),
)
await writeFile(
  new URL('limits-max-tokens.svg', docs),
  lines({
    title: 'Tokens of answered calls, in % of the quota, by max_tokens (10 clients)',
    labels: sizes.map((size) => size.toLocaleString('en-US')),
    most: 1.1,
    series: [...bySize].map(([{ name }, values]) => ({ name, values: values.map(({ goodput }) => goodput) })),
  }),
)
