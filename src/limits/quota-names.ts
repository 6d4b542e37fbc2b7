import { catalog } from '../models/catalog.ts'
import type { QuotaBucket } from './budget-key.ts'

/** The meaning of a quota in Service Quotas. */
export interface QuotaMeaning {
  readonly model: string
  readonly bucket: QuotaBucket
  readonly unit: 'tokens' | 'requests'
}

/** The quota of tokens per day, for all models of an account and Region together. */
export const dailyQuotaCode = 'L-E3F10727'

// Codes are the same in every Region and account. As listed by accounts in 2026-10.
const codes: Readonly<Record<string, string>> = {
  'L-A4430697': 'tokens cross-region opus 5.5',
  'L-A103A344': 'tokens global opus 5.5',
  'L-94A31E46': 'tokens cross-region sonnet 5.5',
  'L-99296DCD': 'tokens cross-region opus 5',
  'L-D73B1244': 'tokens global opus 5',
  'L-D4FBCF4E': 'tokens cross-region sonnet 5',
  'L-DD84E5CA': 'tokens global sonnet 5',
  'L-DB99DCDB': 'tokens cross-region opus 4.8',
  'L-4FCE27C7': 'tokens global opus 4.8',
  'L-5DB28B7B': 'tokens cross-region opus 4.7',
  'L-0AD9BBE8': 'tokens cross-region opus 4.6',
  'L-7007E9C9': 'tokens cross-region opus 4.5',
  'L-27989F42': 'requests cross-region opus 4.5',
  'L-3ABF6ACC': 'tokens global opus 4.5',
  'L-58424D95': 'requests global opus 4.5',
  'L-F4DDD3EB': 'tokens cross-region sonnet 4.5',
  'L-4A6BFAB1': 'requests cross-region sonnet 4.5',
  'L-27C57EE8': 'tokens global sonnet 4.5',
  'L-DB84CE56': 'requests global sonnet 4.5',
  'L-58BE175A': 'tokens cross-region haiku 4.5',
  'L-CCA5DF70': 'requests cross-region haiku 4.5',
  'L-9A11C666': 'tokens global haiku 4.5',
  'L-E5084BBA': 'requests global haiku 4.5',
  'L-D06938E7': 'tokens cross-region fable 5',
}

// Two generations of names: "model inference" and "InvokeModel". A name with more in it, such as "1M Context Length",
// is another quota.
const name =
  /^(on-demand|cross-region|global cross-region) (?:model inference|invokemodel) (tokens|requests) per minute for anthropic claude ([a-z]+) (\d+(?:\.\d+)?)(?: v\d+)?$/

/**
 * Returns the meaning of a Bedrock quota; `undefined` for anything but a quota per minute of a Claude model, and if its
 * code and its name disagree.
 *
 * @see https://docs.aws.amazon.com/general/latest/gr/bedrock.html
 */
export function quotaMeaning(code: string, title: string): QuotaMeaning | undefined {
  const [, scope, unit, family, version] = name.exec(title.toLowerCase()) ?? []
  if (!scope || !family) return undefined
  const bucket = scope === 'global cross-region' ? 'global' : (scope as QuotaBucket)
  const known = Object.hasOwn(codes, code) ? codes[code] : undefined
  if (known !== undefined && known !== `${unit} ${bucket} ${family} ${version}`) return undefined
  const model = catalog.find((row) => row.family === family && row.version === version)?.base
  return model === undefined ? undefined : { model, bucket, unit: unit as QuotaMeaning['unit'] }
}
