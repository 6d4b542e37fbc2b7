import { readFileSync } from 'node:fs'

/** The version of this package, from its manifest: beside `dist` when it is installed, beside `src` here. */
export const version: string = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
