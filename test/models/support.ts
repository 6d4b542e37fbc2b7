import type { BedrockFetch, Clock, Logger, ModelResolutionContext } from '../../src/core/types.ts'

/** A logger that keeps its lines. */
export function recordingLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = []
  const write = (level: string) => (message: string) => void lines.push(`${level}: ${message}`)
  return { lines, logger: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') } }
}

/** A context in which nothing may be sent, unless `fetch` is given. */
export function resolutionContext(parts: Partial<ModelResolutionContext> = {}): ModelResolutionContext {
  const fetch: BedrockFetch = async (path) => {
    throw new Error(`nothing was to be sent, but ${path} was`)
  }
  return { region: 'us-east-1', fetch, logger: recordingLogger().logger, ...parts }
}

/** A clock that stands still until it is moved. */
export function standingClock(): Clock & { time: number } {
  return {
    time: Date.UTC(2026, 10, 22),
    now() {
      return this.time
    },
    setTimeout: () => 0,
    clearTimeout: () => {},
  }
}
