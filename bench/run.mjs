// Every contestant in a process of its own, in interleaved rounds: what slows the machine slows them all.
//
//   npm run bench [-- part-of-a-name]
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { groups } from './cases.mjs'
import * as http from './http.mjs'
import * as telemetry from './telemetry.mjs'
import * as workerd from './workerd.mjs'

const rounds = Number(process.env.ROUNDS ?? 7)
const here = fileURLToPath(new URL('.', import.meta.url))

// The web platform's code, as a bundler for a Worker takes it.
await build({
  stdin: {
    contents: "export { createEventStreamDecoder } from 'outcrop/event-stream'",
    resolveDir: here,
  },
  outfile: `${here}node_modules/.outcrop-web.mjs`,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'neutral',
  conditions: ['workerd', 'worker', 'browser'],
  logLevel: 'error',
})

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]
const format = (microseconds) =>
  microseconds >= 10_000 ? `${(microseconds / 1000).toFixed(1)} ms` : `${microseconds.toPrecision(3)} µs`

console.log(`Node ${process.version}, ${rounds} rounds, median CPU time per operation\n`)
const isChosen = ({ name }) => name.includes(process.argv[2] ?? '')

function print({ name, baseline, format: show = format, word = 'times as fast' }, times) {
  console.log(`| ${name.padEnd(34)} | time       | ${`${baseline} = 1`.padEnd(24)} |`)
  console.log(`| ${'-'.repeat(34)} | ---------- | ${'-'.repeat(24)} |`)
  for (const [contestant, each] of Object.entries(times)) {
    const ratio = median(each.map((time, round) => times[baseline][round] / time))
    console.log(
      `| ${contestant.padEnd(34)} | ${show(median(each)).padEnd(10)} | ${`${ratio.toFixed(2)} ${word}`.padEnd(24)} |`,
    )
  }
  console.log()
}

for (const group of groups.filter(isChosen)) {
  const times = Object.fromEntries(Object.keys(group.contestants).map((contestant) => [contestant, []]))
  for (let round = 0; round < rounds; round++) {
    for (const contestant of Object.keys(group.contestants)) {
      const output = execFileSync(process.execPath, [`${here}one.mjs`, group.name, contestant], { encoding: 'utf8' })
      times[contestant].push(Number(output))
    }
  }
  print(group, times)
}
if (isChosen(telemetry)) print(telemetry, await telemetry.measure(rounds))
if (isChosen(workerd)) print(workerd, await workerd.measure(rounds))
for (const group of http.groups.filter(isChosen)) print(group, await http.measure(group, rounds))
