import type { JsonObject } from '../core/types.ts'
import { encodeChunk, encodeException, encodeFrame, toBase64 } from './frames.ts'

/** A response that replaces the real one. */
export interface AnswerFault {
  readonly status: number
  /** AWS's name for the error, for the header. */
  readonly type?: string
  readonly message?: string
  /** Whether the message is spelled `Message`, as AWS's authentication layer does. */
  readonly capital?: boolean
  readonly fields?: JsonObject
  readonly headers?: Readonly<Record<string, string>>
  /** The whole body, unless it is an AWS error. */
  readonly body?: string
}

/** A fault after some events of a stream: more bytes, and how the stream ends. */
export interface StreamFault {
  readonly stream: (next: Uint8Array | undefined) => readonly Uint8Array[]
  /** @default 'close' */
  readonly end?: 'close' | 'reset' | 'stall' | 'continue'
}

/** A fault without a response: the connection fails or stays silent. */
export interface NetworkFault {
  readonly network: 'reset' | 'refused' | 'stall'
}

export type Fault = AnswerFault | StreamFault | NetworkFault

/** The name of a fault; docs/testing.md describes each. */
export type FaultName =
  | 'throttling'
  | 'throttling-tokens'
  | 'throttling-per-day'
  | 'service-quota'
  | 'model-not-ready'
  | 'internal'
  | 'unavailable'
  | 'model-timeout'
  | 'model-error'
  | 'model-error-client'
  | 'expired-token'
  | 'invalid-token'
  | 'bearer-expired'
  | 'bearer-invalid'
  | 'signature-mismatch'
  | 'model-access'
  | 'account-not-authorized'
  | 'iam-denied'
  | 'scp-denied'
  | 'marketplace'
  | 'marketplace-pending'
  | 'use-case-form'
  | 'legacy-model'
  | 'retired-model'
  | 'not-found'
  | 'on-demand'
  | 'invalid-model'
  | 'input-too-long'
  | 'extra-inputs'
  | 'invalid-beta'
  | 'caching-unavailable'
  | 'unknown-guardrail'
  | 'bad-gateway'
  | 'empty-500'
  | 'gateway-timeout'
  | 'redirect'
  | 'cut-json'
  | 'unknown-operation'
  | 'connection-reset'
  | 'connection-refused'
  | 'stall'
  | 'stream-internal'
  | 'stream-model-error'
  | 'stream-validation'
  | 'stream-throttling'
  | 'stream-model-timeout'
  | 'stream-unavailable'
  | 'stream-unknown-exception'
  | 'stream-error-frame'
  | 'stream-anthropic-error'
  | 'stream-truncated'
  | 'stream-cut'
  | 'stream-reset'
  | 'stream-corrupt'
  | 'stream-not-base64'
  | 'stream-not-json'
  | 'stream-stall'
  | 'stream-unknown-event'
  | 'stream-wrong-content-type'
  | 'stream-empty'

const profileArn = 'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6'
const modelArn = 'arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude-sonnet-4-6'
const user =
  'User: arn:aws:sts::123456789012:assumed-role/dev/me is not authorized to perform: bedrock:InvokeModel on resource:'

const throttled = (message: string): AnswerFault => ({ status: 429, type: 'ThrottlingException', message })
const denied = (message: string): AnswerFault => ({ status: 403, type: 'AccessDeniedException', message })
const invalid = (message: string): AnswerFault => ({ status: 400, type: 'ValidationException', message })
const missing = (message: string): AnswerFault => ({ status: 404, type: 'ResourceNotFoundException', message })
const exception = (name: string, message: string, fields?: JsonObject): StreamFault => ({
  stream: () => [encodeException(name, message, fields)],
})

/**
 * All faults by name. Their messages are Bedrock's, as users have reported them.
 *
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html
 */
export const faults: Readonly<Record<FaultName, Fault>> = {
  // Responses of the service.
  throttling: throttled('Too many requests, please wait before trying again.'),
  'throttling-tokens': throttled('Too many tokens, please wait before trying again.'),
  'throttling-per-day': throttled('Too many tokens per day, please wait before trying again.'),
  'service-quota': {
    status: 400,
    type: 'ServiceQuotaExceededException',
    message: 'You have exceeded a service quota of your account.',
  },
  'model-not-ready': {
    status: 429,
    type: 'ModelNotReadyException',
    message: 'The model is not ready to serve inference requests.',
  },
  internal: { status: 500, type: 'InternalServerException', message: 'The system encountered an unexpected error.' },
  unavailable: {
    status: 503,
    type: 'ServiceUnavailableException',
    message: 'Bedrock is unable to process your request.',
  },
  'model-timeout': {
    status: 408,
    type: 'ModelTimeoutException',
    message: 'The model timed out while processing the request.',
  },
  'model-error': {
    status: 424,
    type: 'ModelErrorException',
    message: 'The model failed.',
    fields: { originalStatusCode: 500, resourceName: 'model' },
  },
  'model-error-client': {
    status: 424,
    type: 'ModelErrorException',
    message: 'The model refused the input.',
    fields: { originalStatusCode: 400, resourceName: 'model' },
  },
  // Credentials.
  'expired-token': {
    status: 403,
    type: 'ExpiredTokenException',
    message: 'The security token included in the request is expired',
  },
  'invalid-token': {
    status: 403,
    type: 'UnrecognizedClientException',
    message: 'The security token included in the request is invalid.',
  },
  'bearer-expired': { status: 403, type: 'AccessDeniedException', message: 'Bearer Token has expired', capital: true },
  'bearer-invalid': {
    status: 403,
    type: 'AccessDeniedException',
    message: 'Authentication failed: Please make sure your API Key is valid.',
    capital: true,
  },
  'signature-mismatch': {
    status: 403,
    type: 'InvalidSignatureException',
    message: 'The request signature we calculated does not match the signature you provided.',
  },
  // Permissions.
  'model-access': denied("You don't have access to the model with the specified model ID."),
  'account-not-authorized': denied('Your account is not authorized to invoke this API operation.'),
  'iam-denied': denied(`${user} ${profileArn} because no identity-based policy allows the bedrock:InvokeModel action`),
  'scp-denied': denied(`${user} ${modelArn} with an explicit deny in a service control policy`),
  marketplace: denied(
    'Model access is denied due to IAM user or service role is not authorized to perform the required AWS Marketplace actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe) to enable access to this model.',
  ),
  'marketplace-pending': {
    status: 403,
    type: 'MPAgreementBeingCreated',
    message: 'The subscription for this model is still being processed. Try again in 15 minutes.',
  },
  'use-case-form': missing(
    'Model use case details have not been submitted for this account. Fill out the Anthropic use case details form before using the model. If you have already filled out the form, try again in 15 minutes.',
  ),
  'legacy-model': missing(
    'Access denied. This Model is marked by provider as Legacy and you have not been actively using the model in the last 15 days. Please upgrade to an active model on Amazon Bedrock',
  ),
  'retired-model': missing(
    'This model version has reached the end of its life. Please refer to the AWS documentation for more details.',
  ),
  'not-found': missing('The requested resource was not found.'),
  // The request.
  'on-demand': invalid(
    'Invocation of model ID anthropic.claude-sonnet-4-6 with on-demand throughput isn’t supported. Retry your request with the ID or ARN of an inference profile that contains this model.',
  ),
  'invalid-model': invalid('The provided model identifier is invalid.'),
  'input-too-long': invalid('Input is too long for requested model.'),
  'extra-inputs': invalid('unknown_field: Extra inputs are not permitted'),
  'invalid-beta': invalid('invalid beta flag'),
  'caching-unavailable': invalid('Prompt caching is not supported for this model in this region.'),
  'unknown-guardrail': invalid('The guardrail identifier or version provided in the request does not exist.'),
  // Proxies and broken connections.
  'bad-gateway': {
    status: 502,
    headers: { 'content-type': 'text/html' },
    body: '<html><head><title>502</title></head><body><h1>Bad Gateway</h1></body></html>',
  },
  'empty-500': { status: 500, headers: {}, body: '' },
  'gateway-timeout': { status: 504, headers: { 'content-type': 'text/plain' }, body: 'upstream request timeout' },
  redirect: { status: 302, headers: { location: 'https://login.example/' }, body: '' },
  'cut-json': {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: '{"id":"msg_1","type":"message","role":"assi',
  },
  'unknown-operation': {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: '{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}',
  },
  'connection-reset': { network: 'reset' },
  'connection-refused': { network: 'refused' },
  stall: { network: 'stall' },
  // In a stream, after `after` events.
  'stream-internal': exception('internalServerException', 'The system encountered an unexpected error.'),
  'stream-model-error': exception('modelStreamErrorException', 'The model stream failed.', {
    originalStatusCode: 500,
    originalMessage: 'failed',
  }),
  'stream-validation': exception('validationException', 'The input is not valid.'),
  'stream-throttling': exception('throttlingException', 'Too many tokens, please wait before trying again.'),
  'stream-model-timeout': exception('modelTimeoutException', 'The model timed out.'),
  'stream-unavailable': exception('serviceUnavailableException', 'Bedrock is unable to process your request.'),
  'stream-unknown-exception': exception('somethingNewException', 'Something new happened.'),
  'stream-error-frame': {
    stream: () => [
      encodeFrame(
        { ':message-type': 'error', ':error-code': 'InternalError', ':error-message': 'An internal error occurred.' },
        '',
      ),
    ],
  },
  'stream-anthropic-error': {
    stream: () => [
      encodeChunk(
        JSON.stringify({
          bytes: toBase64(
            JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }),
          ),
        }),
      ),
    ],
  },
  'stream-truncated': { stream: () => [] },
  'stream-cut': { stream: (next) => (next ? [next.subarray(0, next.length >> 1)] : [new Uint8Array(3)]) },
  'stream-reset': { stream: () => [], end: 'reset' },
  'stream-corrupt': {
    stream: (next) => (next ? [next.map((byte, i) => (i === next.length - 20 ? byte ^ 1 : byte))] : []),
  },
  'stream-not-base64': { stream: () => [encodeChunk('{"bytes":"*** not base64 ***"}')] },
  'stream-not-json': { stream: () => [encodeChunk(JSON.stringify({ bytes: toBase64('not json') }))] },
  'stream-stall': { stream: () => [], end: 'stall' },
  'stream-unknown-event': {
    stream: () => [
      encodeFrame({ ':message-type': 'event', ':event-type': 'initial-response' }, '{}'),
      encodeFrame({ ':message-type': 'event', ':event-type': 'somethingNew' }, '{"x":1}'),
      encodeChunk('{"p":"abc"}'),
      encodeChunk(JSON.stringify({ bytes: toBase64('{"keep":"alive"}') })),
    ],
    end: 'continue',
  },
  'stream-wrong-content-type': {
    status: 200,
    headers: { 'content-type': 'text/event-stream' },
    body: 'event: ping\ndata: {}\n\n',
  },
  'stream-empty': { status: 200, headers: { 'content-type': 'application/vnd.amazon.eventstream' }, body: '' },
}
