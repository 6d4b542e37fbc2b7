/** A number of things, such as `1,234` or `5.6M`. */
export function formatCount(count: number): string {
  if (count < 100_000) return Math.round(count).toLocaleString('en-US')
  if (count < 1_000_000) return `${Math.round(count / 1000)}K`
  if (count < 1_000_000_000) return `${(count / 1_000_000).toFixed(1)}M`
  return `${(count / 1_000_000_000).toFixed(1)}G`
}

/** A span of time, such as `350 ms`, `4.2 s` or `3 h 5 min`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${Math.max(0, Math.round(milliseconds))} ms`
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`
  const minutes = Math.floor(milliseconds / 60_000)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`
}

/** An amount in the currency of the prices: small ones to four places. */
export function formatCost(cost: number): string {
  return cost.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: cost < 1 ? 4 : 2 })
}

/** A time of day, such as `12:03:04`, in UTC. */
export function formatTime(time: number): string {
  return new Date(time).toISOString().slice(11, 19)
}
