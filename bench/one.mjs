// Runs one contestant and prints its CPU time per operation, in microseconds.
import { groups } from './cases.mjs'

const [, , group, contestant] = process.argv
const { contestants, operations } = groups.find(({ name }) => name === group)

const run = async (operation, count) => {
  for (let i = 0; i < count; i++) await operation(i)
}
const cpuTimeOf = async (work) => {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

const operation = await contestants[contestant]()
const { weight = 1 } = operation
await run(operation, weight > 1 ? 1 : Math.max(3, operations))
globalThis.gc?.()
console.log((await cpuTimeOf(() => run(operation, operations))) / operations / weight)
