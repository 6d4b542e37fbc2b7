import { readFileSync } from 'node:fs'

/** The version of this package, from package.json, which is next to `dist` when installed and next to `src` here. */
export const version: string = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
