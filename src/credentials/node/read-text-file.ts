import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** The maximum file size in bytes. Settings, profiles and tokens are a thousand times smaller. */
const limit = 1_048_576

/**
 * Reads a regular file. Rejects FIFOs, which would wait for a writer, and devices, which may never end.
 *
 * @throws Error with a `code`; its message is only the reason, such as `EACCES` or `it is not a regular file`
 */
export async function readTextFile(path: string): Promise<string> {
  let file: FileHandle | undefined
  try {
    // Opening a FIFO waits too, unless it is non-blocking.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    if (!(await file.stat()).isFile()) throw failure('ENOTREG', 'it is not a regular file')
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of file.createReadStream({ end: limit, autoClose: false })) {
      chunks.push(chunk)
      size += chunk.length
    }
    if (size > limit) throw failure('EFBIG', `it is larger than ${limit} bytes`)
    return Buffer.concat(chunks).toString('utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw code === 'ENOTREG' || code === 'EFBIG' ? error : failure(code ?? message, code ?? message)
  } finally {
    await file?.close()
  }
}

function failure(code: string, reason: string): Error {
  return Object.assign(new Error(reason), { code })
}
