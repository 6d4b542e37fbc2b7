import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { setEnvironment } from '../credentials/support.ts'

/** A folder for each test, which is the process's home too, unless `variables` have another. */
export interface TestFolder {
  path(name?: string): string
  /** Writes a file below it, an object as JSON; gives its path. */
  write(name: string, content: string | Uint8Array | object): string
  /** Where settings are looked for: nowhere else. */
  places(): { readonly cwd: string; readonly home: string; readonly managedDirectory: string }
}

/** Makes a {@link TestFolder} anew for each test of a file, and clears it and the environment away. */
export function useFolder(
  variables: (path: (name: string) => string) => Record<string, string> = () => ({}),
): TestFolder {
  let folder: string
  let restore: () => void
  const path = (name = ''): string => join(folder, name)
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'outcrop-settings-'))
    restore = setEnvironment({ HOME: folder, AWS_EC2_METADATA_DISABLED: 'true', ...variables(path) })
  })
  afterEach(() => {
    restore()
    rmSync(folder, { recursive: true, force: true })
  })
  return {
    path,
    write(name, content) {
      mkdirSync(dirname(path(name)), { recursive: true })
      const isText = typeof content === 'string' || content instanceof Uint8Array
      writeFileSync(path(name), isText ? content : JSON.stringify(content))
      return path(name)
    },
    places: () => ({ cwd: path('project'), home: path(), managedDirectory: path('managed') }),
  }
}
