import { errorResponse, type FakeState, jsonResponse } from './respond.ts'
import type { FakeCall } from './types.ts'

/**
 * What the fake does not serve, refused as AWS refuses it, in the framing of the operation: an SDK that got a status of
 * 200 would take it for an empty answer.
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
      // AWS's runtime answers so to paths that it does not route, those under /anthropic too: with status 200.
      return jsonResponse(state, {
        Output: { __type: 'com.amazon.coral.service#UnknownOperationException' },
        Version: '1.0',
      })
    default:
      return errorResponse(state, { status: 404, type: 'UnknownOperationException', message })
  }
}
