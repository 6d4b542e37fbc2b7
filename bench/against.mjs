// Compares each case with the build of an older commit. Both run the same programs.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { groups } from './cases.mjs'
import * as http from './http.mjs'
import { formatTime, median, table } from './table.mjs'
import { buildForWeb } from './web.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('..', import.meta.url))

/** Prints a table of ratios. Below 1 is faster than that commit. */
export async function against(commit, { isChosen, rounds, runOne }) {
  const tree = mkdtempSync(join(tmpdir(), 'outcrop-against-'))
  try {
    execFileSync('git', ['worktree', 'add', '--detach', '--force', tree, commit], { cwd: root, stdio: 'ignore' })
    const old = prepare(tree)
    await buildForWeb(old)
    const rows = []
    for (const group of groups.filter(isChosen)) {
      for (const name of Object.keys(group.contestants).filter(isOwn)) {
        const times = { now: [], old: [] }
        const run = (which, folder) => times[which].push(runOne(`${folder}one.mjs`, group.name, name))
        try {
          for (let round = 0; round < rounds; round++) {
            // They take turns in going first.
            for (const which of round % 2 ? ['old', 'now'] : ['now', 'old']) run(which, which === 'now' ? here : old)
          }
          rows.push([group.name, name, ...compared(times.now, times.old, group.format)])
        } catch {
          rows.push([group.name, name, '', '', 'one of them does not have it'])
        }
        console.log(rows.at(-1).join(' | '))
      }
    }
    for (const group of http.groups.filter(isChosen)) {
      const contestants = group.contestants.filter(isOwn)
      const times = await http.measure({ ...group, contestants }, rounds, { 'now ': here, 'old ': old })
      for (const name of contestants)
        rows.push([group.name, name, ...compared(times[`now ${name}`], times[`old ${name}`], group.format)])
    }
    console.log(`\n${table(['case', 'of', 'now', commit.slice(0, 12), 'now / old'], rows)}`)
  } finally {
    execFileSync('git', ['worktree', 'remove', '--force', tree], { cwd: root, stdio: 'ignore' })
    rmSync(tree, { recursive: true, force: true })
  }
}

const isOwn = (name) =>
  /^(outcrop|no middleware|promptCaching|responseCaching|messages\.stream|text|one at a time)/.test(name)

function compared(now, old, format = formatTime) {
  const ratio = median(now.map((time, round) => time / old[round]))
  return [format(median(now)), format(median(old)), ratio.toFixed(2)]
}

/** Builds the commit, and copies this folder's programs next to it. */
function prepare(tree) {
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
  execFileSync(process.execPath, ['scripts/build.mjs', '--fast'], { cwd: tree, stdio: ['ignore', 'ignore', 'inherit'] })
  const old = join(tree, 'bench-now/')
  mkdirSync(join(old, 'node_modules'), { recursive: true })
  for (const name of readdirSync(here)) if (name.endsWith('.mjs')) cpSync(join(here, name), join(old, name))
  for (const name of readdirSync(join(here, 'node_modules')))
    if (name !== 'outcrop' && !name.startsWith('.'))
      symlinkSync(join(here, 'node_modules', name), join(old, 'node_modules', name))
  symlinkSync(tree, join(old, 'node_modules/outcrop'))
  return old
}
