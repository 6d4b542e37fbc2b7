// Each contestant runs in its own process, in interleaved rounds, so that a slow machine slows all of them.
//
//   npm run bench -- [part of a name] [--write] [--plot] [--against <commit>]
//
// --write updates docs/performance.md and docs/plots, --plot only draws, and --against compares with the build of an older
// commit. ROUNDS=7 measures 7 times instead of 3.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { against } from './against.mjs'
import { groups } from './cases.mjs'
import * as cold from './cold.mjs'
import * as http from './http.mjs'
import { plot } from './plot.mjs'
import { summarize, table } from './table.mjs'
import * as telemetry from './telemetry.mjs'
import { buildForWeb } from './web.mjs'
import * as workerd from './workerd.mjs'

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean' }, plot: { type: 'boolean' }, against: { type: 'string' } },
  allowPositionals: true,
})
const here = fileURLToPath(new URL('.', import.meta.url))
const docs = fileURLToPath(new URL('../docs/', import.meta.url))
const rounds = Number(process.env.ROUNDS ?? 3)
const isChosen = ({ name }) => positionals.every((part) => name.includes(part))

/** Runs a group's contestants, each in its own process. */
async function measure({ name, contestants }) {
  const names = Object.keys(contestants)
  const times = Object.fromEntries(names.map((contestant) => [contestant, []]))
  for (let round = 0; round < rounds; round++)
    for (const contestant of names) times[contestant].push(runOne(`${here}one.mjs`, name, contestant))
  return times
}

function runOne(...args) {
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }
  return Number(execFileSync(process.execPath, ['--expose-gc', ...args], options))
}

const all = [
  ...groups.map((group) => ({ ...group, measure: () => measure(group) })),
  { ...telemetry, measure: () => telemetry.measure(rounds) },
  { ...workerd, measure: () => workerd.measure(rounds) },
  ...http.groups.map((group) => ({ ...group, measure: () => http.measure(group, rounds) })),
  { ...cold, plot: cold.isPlotted, measure: () => cold.measure(rounds) },
].filter(isChosen)
if (all.length === 0) throw new Error(`No group's name has ${positionals.join(' and ')} in it`)

await buildForWeb(here)
if (values.against) {
  await against(values.against, { isChosen, rounds, runOne })
  process.exit(0)
}

console.log(`${heading()}\n`)
const blocks = new Map([['machine', heading()]])
for (const group of all) {
  const rows = summarize(group, await group.measure())
  const [unit, head] = [group.unit ?? 'CPU time', group.baseline ?? 'outcrop']
  const text = table(
    [group.name, unit, `beside ${head}`],
    rows.map(({ name, shown, words }) => [name, shown, words]),
  )
  console.log(`${text}\n`)
  const image = group.plot ? `${slug(group.name)}.svg` : undefined
  if (image && (values.plot || values.write)) {
    mkdirSync(`${docs}plots`, { recursive: true })
    writeFileSync(`${docs}plots/${image}`, plot(`${group.name}: ${unit}, a shorter bar is better`, rows))
  }
  blocks.set(group.name, image ? `${text}\n\n![${group.name}](plots/${image})` : text)
}
if (values.write) write(`${docs}performance.md`, blocks)

function heading() {
  return `Node ${process.version} on ${process.platform} ${process.arch}; medians of ${rounds} interleaved rounds.`
}

function slug(name) {
  return name.toLowerCase().replace(/\W+/g, '-')
}

/** Writes each block between its marks in a page. */
function write(file, blocks) {
  let page = readFileSync(file, 'utf8')
  for (const [name, block] of blocks) {
    const [begin, end] = [`<!-- bench: ${name} -->`, '<!-- bench end -->']
    const start = page.indexOf(begin)
    if (start < 0) {
      console.error(`${file} has no place for ${JSON.stringify(name)}: put ${begin} and ${end} where it belongs`)
      process.exitCode = 1
      continue
    }
    const stop = page.indexOf(end, start)
    page = `${page.slice(0, start + begin.length)}\n\n${block}\n\n${page.slice(stop)}`
  }
  writeFileSync(file, page)
}
