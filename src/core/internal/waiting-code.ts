import { isBedrockError } from '../errors.ts'

/**
 * Adds the code that waits for the caller of this function to an error's stack, which ends after ten frames, all of them
 * this library's. To be called where a promise has been awaited; engines other than V8 don't know who waits.
 */
export function nameWaitingCode(error: unknown): void {
  if (!isBedrockError(error)) return
  const [, ...frames] = new Error().stack?.match(/\n +at .+/g) ?? []
  for (const frame of frames) if (!error.stack?.includes(frame)) error.stack += frame
}
