/** Keys that nobody takes for real ones. */
export const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret-example' }

export interface CapturedRequest {
  readonly url: string
  readonly method: string
  readonly headers: Record<string, string>
  readonly body: string
}

/** A `fetch` that keeps what it was asked and answers the same each time. */
export function capturingFetch(answer: () => Response | Promise<Response> = () => Response.json({})) {
  const requests: CapturedRequest[] = []
  const capturing: typeof fetch = async (input, init) => {
    const body = init?.body
    requests.push({
      url: String(input),
      method: init?.method ?? 'GET',
      headers: Object.fromEntries(new Headers(init?.headers)),
      body: typeof body === 'string' ? body : body ? new TextDecoder().decode(body as Uint8Array) : '',
    })
    return answer()
  }
  return { fetch: capturing, requests }
}
