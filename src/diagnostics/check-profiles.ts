import type { BedrockClient } from '../client.ts'
import { parseModelId } from '../core/model-id.ts'
import { isBedrockError } from '../core/errors.ts'
import { readJson } from '../core/internal/service-error.ts'
import type { ModelRef } from '../core/types.ts'
import type { HintContext } from '../hints/table.ts'
import { discoverInferenceProfiles, type InferenceProfile } from '../models/discovery.ts'
import { failedOrDenied, type Finding } from './finding.ts'

/** Returns the account's profiles in a Region, listed once per Region; `undefined` if they cannot be listed. */
export type ListProfiles = (region: string) => Promise<readonly InferenceProfile[] | undefined>

/** Lists the profiles of the client's Region, and returns a function that lists those of others. */
export async function checkProfiles(
  client: BedrockClient,
  where: HintContext & { readonly region: string },
): Promise<{ readonly finding: Finding; readonly list: ListProfiles }> {
  const check = 'inference profiles'
  const listed = new Map<string, Promise<readonly InferenceProfile[]>>()
  const ask = (region: string): Promise<readonly InferenceProfile[]> => {
    const known = listed.get(region) ?? discoverInferenceProfiles(client.fetch, { region })
    listed.set(region, known)
    return known
  }
  const list: ListProfiles = (region) => ask(region).catch(() => undefined)
  try {
    const { length } = await ask(where.region)
    const status = length > 0 ? 'ok' : 'warning'
    const next =
      length > 0 ? undefined : `${where.region} has no inference profiles: choose another Region with AWS_REGION.`
    return { list, finding: { check, status, message: `${length} in ${where.region}`, next } }
  } catch (error) {
    return { list, finding: failedOrDenied(check, error, 'bedrock:ListInferenceProfiles', where) }
  }
}

/** Looks up the ID or ARN to call in the account; returns nothing if there is nothing to look up. */
export async function checkProfile(
  client: BedrockClient,
  { id, region = '' }: ModelRef,
  list: ListProfiles,
  where: HintContext,
): Promise<Finding | undefined> {
  const check = 'profile'
  const { kind, geo } = parseModelId(id)
  if (kind === 'foundation-model' && !geo) return undefined
  if (kind.endsWith('inference-profile') && id.startsWith('arn:')) return lookUp(client, id, region, where)
  if (!geo) return { check, status: 'note', message: `not looked up: it is a ${kind.replaceAll('-', ' ')}` }
  const profiles = await list(region)
  if (!profiles) return { check, status: 'note', message: `not looked up: the profiles of ${region} cannot be listed` }
  const found = profiles.find((profile) => profile.id === id)
  if (found) {
    const runs = found.regions ? `runs in ${found.regions.join(', ')}` : 'runs anywhere'
    const isActive = (found.status ?? 'ACTIVE') === 'ACTIVE'
    return {
      check,
      status: isActive ? 'ok' : 'failure',
      message: isActive ? runs : `is ${found.status}`,
      next: isActive ? undefined : 'Use another profile.',
    }
  }
  const others = profiles.filter(({ base }) => base === parseModelId(id).base).map((profile) => profile.id)
  return {
    check,
    status: 'failure',
    message: `the account has no ${id} in ${region}`,
    next:
      others.length > 0
        ? `Use ${others.join(' or ')}.`
        : `List its profiles: \`aws bedrock list-inference-profiles --region ${region}\``,
  }
}

/** Calls GetInferenceProfile, which reveals the model behind an ARN. */
async function lookUp(client: BedrockClient, arn: string, region: string, where: HintContext): Promise<Finding> {
  const check = 'profile'
  try {
    const { models, status } = await readJson(
      await client.fetch(`/inference-profiles/${encodeURIComponent(arn)}`, { region }),
    )
    const found = (Array.isArray(models) ? models : []).flatMap((model) => {
      const text = (model as { modelArn?: unknown } | null)?.modelArn
      return typeof text === 'string' ? [parseModelId(text)] : []
    })
    const base = found[0]?.base ?? 'an unknown model'
    const regions = [...new Set(found.flatMap((model) => model.region ?? []))]
    if (status !== undefined && status !== 'ACTIVE')
      return { check, status: 'failure', message: `is ${String(status)}`, next: 'Use another profile.' }
    return { check, status: 'ok', message: `is ${base}, which runs in ${regions.join(', ') || 'every Region'}` }
  } catch (error) {
    if (isBedrockError(error, 'service') && error.status === 404) {
      return {
        check,
        status: 'failure',
        message: `the account has no such profile in ${region}`,
        next: `List its profiles: \`aws bedrock list-inference-profiles --type-equals APPLICATION --region ${region}\``,
      }
    }
    return failedOrDenied(check, error, 'bedrock:GetInferenceProfile', where)
  }
}
