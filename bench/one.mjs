// Runs one contestant and prints its CPU time per operation, in microseconds.
import { groups } from './cases.mjs'

const [, , group, contestant] = process.argv
const { contestants, operations } = groups.find(({ name }) => name === group)
const operation = await contestants[contestant]()

const run = async (count) => {
  for (let i = 0; i < count; i++) await operation(i)
}
await run(Math.max(3, operations))
globalThis.gc?.()
const before = process.cpuUsage()
await run(operations)
const { user, system } = process.cpuUsage(before)
console.log((user + system) / operations)
