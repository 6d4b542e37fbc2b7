import type { ModelRef } from '../core/types.ts'
import type { HintContext } from '../hints/table.ts'
import { catalogModel } from '../models/catalog.ts'
import { familiesToPin } from '../models/families.ts'
import { checkAccess, checkCall } from './check-access.ts'
import { checkProfile, type ListProfiles } from './check-profiles.ts'
import type { DoctorOptions } from './doctor-options.ts'
import { failed, type Finding } from './finding.ts'
import type { CheckStatus } from './report.ts'

/** Checks a configured name: its ID, and whether the account has it. Returns the model, if the name resolves. */
export async function* checkModel(
  { client, invoke, now = Date.now }: DoctorOptions,
  name: string,
  list: ListProfiles,
  given: HintContext & { readonly region: string },
): AsyncGenerator<Finding, ModelRef | undefined> {
  const check = 'model'
  let model: ModelRef
  try {
    model = await client.models.resolve(name)
  } catch (error) {
    yield { ...failed(check, error, given), subject: name }
    return undefined
  }
  const region = model.region ?? given.region
  const where = { ...given, model: model.id, region }
  const row = catalogModel(model.base)
  const { state, endOfLife } = row?.lifecycle ?? {}
  const isGone = state === 'retired' || (endOfLife !== undefined && Date.parse(endOfLife) <= now())
  const lifecycle: [CheckStatus, string] = isGone
    ? ['failure', ', which is retired']
    : state === 'legacy'
      ? ['warning', `, which is Legacy${endOfLife ? ` and ends on ${endOfLife}` : ''}`]
      : ['ok', '']
  const caching = row?.promptCaching ? `; prompt caching from ${row.promptCaching.minimumTokens} tokens` : ''
  yield {
    check,
    subject: name,
    status: lifecycle[0],
    message: `${model.id} in ${region} (${model.source})${lifecycle[1]}${caching}`,
    next: lifecycle[0] === 'ok' ? undefined : 'Pin a newer model, for example with ANTHROPIC_DEFAULT_SONNET_MODEL.',
  }
  const profile = await checkProfile(client, { ...model, region }, list, where)
  if (profile) yield { ...profile, subject: name }
  if (model.base) yield { ...(await checkAccess(client, model, where)), subject: name }
  else yield { check: 'access', subject: name, status: 'note', message: 'not checked: the model behind it is unknown' }
  if (invoke) yield { ...(await checkCall(client, model, where)), subject: name }
  return { ...model, region }
}

/** Warns about families without a pin, and lists the pins that keep them as they are. */
export async function checkPins({ client, pinned }: DoctorOptions): Promise<Finding | undefined> {
  const missing = familiesToPin.filter((family) => pinned && !pinned.includes(family))
  if (missing.length === 0) return undefined
  const pins = await Promise.all(
    missing.map(async (family) => {
      const id = await client.models.resolve(family).then(
        (model) => model.id,
        () => undefined,
      )
      return id ? [`ANTHROPIC_DEFAULT_${family.toUpperCase()}_MODEL=${id}`] : []
    }),
  )
  return {
    check: 'pins',
    status: 'warning',
    message: `${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} not pinned: a release may take a model that the account does not have`,
    next: pins.length > 0 ? `Set ${pins.flat().join(' ')}` : undefined,
  }
}
