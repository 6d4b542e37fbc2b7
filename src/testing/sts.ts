import type { AwsCredentialIdentity, Identity } from '../core/types.ts'
import { errorResponse, type FakeState } from './respond.ts'
import type { Verdict } from './verify-signature.ts'

/** AWS STS: says who is calling, and mints keys that the fake accepts from then on. Answers in XML, as STS does. */
export function answerSts(state: FakeState, identities: Identity[], form: string, verdict: Verdict): Response {
  const parameters = new URLSearchParams(form)
  const action = parameters.get('Action')
  // A web identity proves itself by its token.
  if (action !== 'AssumeRoleWithWebIdentity' && 'refusal' in verdict) return errorResponse(state, verdict.refusal)
  if (action === 'GetCallerIdentity') {
    return xml(
      action,
      '<Arn>arn:aws:iam::123456789012:user/me</Arn><UserId>AIDAEXAMPLE</UserId><Account>123456789012</Account>',
    )
  }
  if (action !== 'AssumeRole' && action !== 'AssumeRoleWithWebIdentity') {
    return errorResponse(state, { status: 400, type: 'InvalidAction', message: `Could not find operation ${action}` })
  }
  const minted: AwsCredentialIdentity = {
    accessKeyId: `ASIAEXAMPLE${state.requests}`,
    secretAccessKey: `secret-example-minted-${state.requests}`,
    sessionToken: `session-example-minted-${state.requests}`,
    expiration: new Date(state.now() + Number(parameters.get('DurationSeconds') ?? 3600) * 1000),
  }
  identities.push(minted)
  const role = parameters.get('RoleArn') ?? ''
  return xml(
    action,
    `<Credentials><AccessKeyId>${minted.accessKeyId}</AccessKeyId><SecretAccessKey>${minted.secretAccessKey}</SecretAccessKey>` +
      `<SessionToken>${minted.sessionToken}</SessionToken><Expiration>${minted.expiration?.toISOString()}</Expiration></Credentials>` +
      `<AssumedRoleUser><Arn>${role.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${parameters.get('RoleSessionName')}</Arn></AssumedRoleUser>`,
  )
}

function xml(action: string, result: string): Response {
  const body = `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result>${result}</${action}Result></${action}Response>`
  return new Response(body, { headers: { 'content-type': 'text/xml' } })
}
