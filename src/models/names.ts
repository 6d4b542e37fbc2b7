import { editDistance } from '../core/internal/edit-distance.ts'

/** Returns Anthropic's ID of a base model, such as `claude-opus-4-6` for `anthropic.claude-opus-4-6-v1`. */
export function anthropicIdOf(base: string): string {
  return base.replace(/^anthropic\./, '').replace(/-v\d+(:\d+)?$/, '')
}

/** Tests whether two names, Anthropic's or Bedrock's, mean the same model. If both have dates, the dates must match. */
export function isSameModel(one: string, other: string): boolean {
  const [a, b] = [anthropicIdOf(one), anthropicIdOf(other)]
  return a === b || undated(a) === b || a === undated(b)
}

/** Returns the `names` that are most similar to what was typed, best first. */
export function nearest(typed: string, names: readonly string[]): string[] {
  const start = typed.slice(0, 40)
  return [...new Set(names)]
    .map((name) => {
      const spellings = [name, undated(name), undated(name).replace(/^claude-/, '')]
      return { name, distance: Math.min(...spellings.map((spelling) => editDistance(start, spelling))) }
    })
    .filter(({ distance }) => distance <= start.length / 3)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 5)
    .map(({ name }) => name)
}

/** Orders versions such as `4.10` and `5`. A missing version comes first. */
export function compareVersions(a = '', b = ''): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

function undated(name: string): string {
  return name.replace(/-\d{8}$/, '')
}
