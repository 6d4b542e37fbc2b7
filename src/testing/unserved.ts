import { errorResponse, type FakeState, jsonResponse } from './respond.ts'
import type { FakeCall } from './types.ts'

/**
 * Rejects operations that the fake does not serve as AWS would, in the framing of the operation. An SDK would read a
 * status of 200 as an empty answer.
 */
export function refuseUnserved(state: FakeState, { operation }: FakeCall): Response {
  const message = `The fake Bedrock does not serve ${operation}.`
  switch (operation) {
    case 'Converse':
    case 'ConverseStream':
    case 'InvokeModelWithBidirectionalStream':
      return errorResponse(state, {
        status: 400,
        type: 'ValidationException',
        message: `This action doesn't support the model that you provided. Try again with a supported text or chat model. (${message})`,
      })
    case 'Messages':
      return jsonResponse(state, { type: 'error', error: { type: 'not_found_error', message } }, { status: 404 })
    case 'MessageBatches':
      return errorResponse(state, {
        status: 403,
        type: 'MissingAuthenticationTokenException',
        message: 'Authorization header is missing',
        capital: true,
      })
    case 'Unknown':
      // AWS's runtime answers unknown paths this way, even those under /anthropic: with status 200.
      return jsonResponse(state, {
        Output: { __type: 'com.amazon.coral.service#UnknownOperationException' },
        Version: '1.0',
      })
    default:
      return errorResponse(state, { status: 404, type: 'UnknownOperationException', message })
  }
}
