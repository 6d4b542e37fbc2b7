/** Returns the number of insertions, deletions and substitutions between two strings (Levenshtein distance). */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    let previous = i
    const next = [previous]
    for (let j = 1; j <= b.length; j++) {
      previous = Math.min(
        previous + 1,
        (row[j] as number) + 1,
        (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1),
      )
      next.push(previous)
    }
    row = next
  }
  return row[b.length] as number
}
