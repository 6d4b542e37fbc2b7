/** Text that is HTML, and not text to escape. Only {@link html} makes it. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Value = string | number | undefined | Html | readonly Html[]

/**
 * Writes HTML. Strings that are put in are escaped, for elements and for quoted attributes alike; `undefined` leaves
 * nothing.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(strings.reduce((text, next, index) => text + asText(values[index - 1]) + next))
}

function asText(value: Value): string {
  if (value === undefined) return ''
  if (value instanceof Html) return value.text
  if (typeof value === 'object') return value.map(({ text }) => text).join('')
  return printed(String(value)).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

// A name that turns the direction of what follows, or hides, could pass for another.
function printed(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, (character) => (character === '\n' ? ' ' : '\ufffd'))
}
