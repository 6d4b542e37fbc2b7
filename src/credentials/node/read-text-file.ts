import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** The largest file that is read, in bytes. Settings, profiles and tokens are a thousand times smaller. */
const limit = 1_048_576

/**
 * Reads a regular file. A FIFO, which would wait for a writer, and a device, which may never end, are refused.
 *
 * @throws Error with `code`; its message is the reason alone, such as `EACCES` or `it is not a regular file`
 */
export async function readTextFile(path: string): Promise<string> {
  let file: FileHandle | undefined
  try {
    // Opening a FIFO waits too, unless it is told not to.
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
