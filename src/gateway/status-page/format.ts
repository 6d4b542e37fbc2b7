/** Formats a count, such as `1,234` or `5.6M`. */
export function formatCount(count: number): string {
  if (count < 100_000) return Math.round(count).toLocaleString('en-US')
  if (count < 1_000_000) return `${Math.round(count / 1000)}K`
  if (count < 1_000_000_000) return `${(count / 1_000_000).toFixed(1)}M`
  return `${(count / 1_000_000_000).toFixed(1)}G`
}

/** Formats a duration, such as `350 ms`, `4.2 s` or `3 h 5 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`
  const minutes = Math.floor(milliseconds / 60_000)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`
}

/** Formats an amount in the currency of the prices, with up to four decimals if it is small. */
export function formatCost(cost: number): string {
  return cost.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: cost < 1 ? 4 : 2 })
}

/** Formats the time of day in UTC, such as `12:03:04`. */
export function formatTime(time: number): string {
  return new Date(time).toISOString().slice(11, 19)
}
