import { expect, test } from 'vitest'
import { findMessages } from '../scripts/messages.ts'

// Users search for messages, and read them next to other programs' output. `npx tsx scripts/messages.ts` prints all.
const messages = findMessages()
const breaking = (rule: (text: string, kind: string) => boolean): string[] =>
  messages.filter(({ kind, text }) => rule(text, kind)).map(({ place, text }) => `${place} ${text}`)

test.each([
  ['ConfigurationError', /^retryBudget must be 0 or more$/],
  ['hint', /^Leave the endpoint out: AWS's own host/],
  ['part', /^the checksum of a message is wrong$/],
  ['log warn', /^The local clock is off by \$\{/],
  ['check', /^Synchronize the clock/],
  ['reason', /^this model decides for itself/],
  ['terminal', /^Nothing was written\.$/],
])('the list has each kind: %s', (kind, text) => {
  expect(messages.filter((message) => message.kind === kind && text.test(message.text))).toHaveLength(1)
})

test('an apostrophe or a quotation mark is the one on the keyboard', () => {
  expect(breaking((text) => /[‘’“”]/.test(text))).toEqual([])
})

test('a Region and a place are named, and not pointed at', () => {
  const pointing = /\bthis region\b|where (they|it) (are|is) set/i
  expect(breaking((text) => pointing.test(text))).toEqual([])
})

test('a hint is whole sentences, and an error leaves its full stop to those who quote it', () => {
  const unfinished = /[^.?!'}]$/
  expect(breaking((text, kind) => kind === 'hint' && unfinished.test(text) && !text.includes('--file'))).toEqual([])
  expect(
    breaking((text, kind) => /(Configuration|Service|Stream|Credentials)Error/.test(kind) && /[^.]\.$/.test(text)),
  ).toEqual([])
})

test('a message says who does what in plain words', () => {
  expect(breaking((text) => /\b(?:whoever|whatever|somebody|everybody|nobody)\b/i.test(text))).toEqual([])
  expect(breaking((text, kind) => kind !== 'part' && /^(?:What|Who) [^?]*$/.test(text))).toEqual([])
  expect(breaking((text, kind) => kind === 'hint' && /^(?:Give|Mend|Say|Tell) /.test(text))).toEqual([])
})

test('an AWS Region has a capital, "setup" is one word, and the spelling is American', () => {
  const region = /(?<![-.\w`'"])regions?\b(?![`'"?: }]*[:?'}])/
  expect(breaking((text) => region.test(text.replace(/\$\{[^}]*\}|`[^`]*`|\{[^}]*\}/g, '')))).toEqual([])
  expect(breaking((text) => /\bset-up\b|\b\w+(?:ronis|ganis|ognis)e|\bbehaviour|\bmisspelt/i.test(text))).toEqual([])
})

test('a message has no arrow', () => {
  expect(breaking((text) => text.includes('\u2192') && !/^\u2192 \$/.test(text))).toEqual([])
})
