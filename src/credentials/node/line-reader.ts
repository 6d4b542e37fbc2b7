/** Receives text in pieces and reports its lines. */
export interface LineReader {
  push(piece: string): void
  /** Reports the rest. */
  end(): void
}

// The lines are shown to people, so longer ones are cut.
const maxLength = 8192

/**
 * Reads lines from pieces of text.
 *
 * @param pause - how many milliseconds to wait for more before reporting an unfinished line, such as a prompt that
 *   waits for an answer
 */
export function createLineReader(onLine: (line: string) => void, pause = 200): LineReader {
  let pieces: string[] = []
  let length = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  const add = (piece: string): void => {
    if (length < maxLength) pieces.push(piece.slice(0, maxLength - length))
    length += piece.length
  }
  const emit = (): void => {
    const line = pieces.join('')
    const isCut = length > maxLength
    pieces = []
    length = 0
    onLine(isCut ? `${line}…` : line.replace(/\r$/, ''))
  }
  const emitRest = (): void => {
    clearTimeout(timer)
    if (length > 0) emit()
  }
  return {
    push(piece) {
      clearTimeout(timer)
      let start = 0
      for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', start)) {
        add(piece.slice(start, end))
        emit()
        start = end + 1
      }
      add(piece.slice(start))
      if (length > 0) timer = setTimeout(emitRest, pause)
    },
    end: emitRest,
  }
}
