// Runs one contestant and prints its CPU time per operation, in microseconds.
import { groups } from './cases.mjs'

const [, , group, contestant] = process.argv
const { contestants, operations, isCold } = groups.find(({ name }) => name === group)

const run = async (operation, count) => {
  for (let i = 0; i < count; i++) await operation(i)
}
const cpuTimeOf = async (work) => {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

if (isCold) {
  // Loading counts, and nothing is warm.
  console.log(await cpuTimeOf(async () => run(await contestants[contestant](), operations)))
} else {
  const operation = await contestants[contestant]()
  await run(operation, Math.max(3, operations))
  globalThis.gc?.()
  console.log((await cpuTimeOf(() => run(operation, operations))) / operations)
}
