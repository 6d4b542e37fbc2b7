import type { AwsCredentialIdentity, Identity } from '../core/types.ts'
import type { FakeState } from './respond.ts'
import type { Refusal, Verdict } from './verify-signature.ts'

/**
 * Answers AWS STS requests: identifies the caller, and issues keys that the fake then accepts. Answers in XML, like
 * STS.
 */
export function answerSts(state: FakeState, identities: Identity[], form: string, verdict: Verdict): Response {
  const parameters = new URLSearchParams(form)
  const action = parameters.get('Action') ?? ''
  // A web identity authenticates with its token.
  if (action !== 'AssumeRoleWithWebIdentity' && 'refusal' in verdict) return stsError(state, verdict.refusal)
  if (action === 'GetCallerIdentity') {
    return xml(
      action,
      '<Arn>arn:aws:iam::123456789012:user/me</Arn><UserId>AIDAEXAMPLE</UserId><Account>123456789012</Account>',
    )
  }
  if (action !== 'AssumeRole' && action !== 'AssumeRoleWithWebIdentity') {
    return stsError(state, { status: 400, type: 'InvalidAction', message: `Could not find operation ${action}` })
  }
  const seconds = Number(parameters.get('DurationSeconds') ?? 3600)
  if (!(seconds >= 900 && seconds <= 43_200)) {
    const message =
      "1 validation error detected: Value at 'durationSeconds' failed to satisfy constraint: Member must have value between 900 and 43200"
    return stsError(state, { status: 400, type: 'ValidationError', message })
  }
  const minted: AwsCredentialIdentity = {
    accessKeyId: `ASIAEXAMPLE${state.requests}`,
    secretAccessKey: `secret-example-minted-${state.requests}`,
    sessionToken: `session-example-minted-${state.requests}`,
    expiration: new Date(state.now() + seconds * 1000),
  }
  identities.push(minted)
  const role = parameters.get('RoleArn') ?? ''
  return xml(
    action,
    `<Credentials><AccessKeyId>${minted.accessKeyId}</AccessKeyId><SecretAccessKey>${minted.secretAccessKey}</SecretAccessKey>` +
      `<SessionToken>${minted.sessionToken}</SessionToken><Expiration>${minted.expiration?.toISOString()}</Expiration></Credentials>` +
      `<AssumedRoleUser><Arn>${escapeXml(`${role.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${parameters.get('RoleSessionName')}`)}</Arn></AssumedRoleUser>`,
  )
}

function xml(action: string, result: string): Response {
  const body = `<${action}Response xmlns="${namespace}"><${action}Result>${result}</${action}Result></${action}Response>`
  return new Response(body, { headers: { 'content-type': 'text/xml' } })
}

/** Creates an STS error: in XML, and with some names that differ from Bedrock's. */
export function stsError(state: FakeState, { status, type, message }: Refusal): Response {
  const code = codes[type] ?? type.replace(/Exception$/, '')
  const error = `<Error><Type>Sender</Type><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error>`
  const body = `<ErrorResponse xmlns="${namespace}">${error}</ErrorResponse>`
  const date = new Date(state.now()).toUTCString()
  return new Response(body, { status, headers: { 'content-type': 'text/xml', date } })
}

// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
const codes: Readonly<Record<string, string>> = {
  UnrecognizedClientException: 'InvalidClientTokenId',
  InvalidSignatureException: 'SignatureDoesNotMatch',
}

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/'
const entities: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;' }

function escapeXml(text: string): string {
  return text.replace(/[<>&]/g, (char) => entities[char] as string)
}
