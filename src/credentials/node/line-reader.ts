/** Hears text that comes in pieces, and tells its lines. */
export interface LineReader {
  push(piece: string): void
  /** Tells what is left. */
  end(): void
}

// Lines are for people. The rest of a longer one is left out.
const maxLength = 8192

/**
 * Reads lines from pieces of text.
 *
 * @param pause - after how many milliseconds without a new piece an unfinished line is told: a question, say, which has
 *   no line break, and whose answer is waited for
 */
export function createLineReader(onLine: (line: string) => void, pause = 200): LineReader {
  let pieces: string[] = []
  let length = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const add = (piece: string): void => {
    if (length < maxLength) pieces.push(piece.slice(0, maxLength - length))
    length += piece.length
  }
  const tell = (): void => {
    const line = pieces.join('')
    const isCut = length > maxLength
    pieces = []
    length = 0
    onLine(isCut ? `${line}…` : line.replace(/\r$/, ''))
  }
  const tellRest = (): void => {
    clearTimeout(timer)
    if (length > 0) tell()
  }
  return {
    push(piece) {
      clearTimeout(timer)
      let start = 0
      for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', start)) {
        add(piece.slice(start, end))
        tell()
        start = end + 1
      }
      add(piece.slice(start))
      if (length > 0) timer = setTimeout(tellRest, pause)
    },
    end: tellRest,
  }
}
