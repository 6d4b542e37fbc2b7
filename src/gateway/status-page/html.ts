/** HTML, which is not escaped again. Created only by {@link html}. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Value = string | number | undefined | Html | readonly Html[]

/**
 * A template tag for HTML. Escapes strings, for elements and for quoted attributes; `undefined` becomes an empty
 * string.
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

// A name with invisible characters, or with some that change the direction of text, could imitate another.
function printed(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, (character) => (character === '\n' ? ' ' : '\ufffd'))
}
