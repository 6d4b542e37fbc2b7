/**
 * Returns a request with the password of HTTP's Basic scheme as its key. Only for pages: browsers send the password on
 * their own, also when another site makes the request, and such a request must not spend anything.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7617
 */
export function withPasswordAsKey(request: Request): Request {
  const [, encoded] = /^Basic +([\w+/]{1,4096}={0,2}) *$/i.exec(request.headers.get('authorization') ?? '') ?? []
  if (encoded === undefined) return request
  const headers = new Headers(request.headers)
  headers.delete('authorization')
  const [, password] = /^[^:]*:([\x21-\x7e]+)$/.exec(decoded(encoded)) ?? []
  if (password !== undefined) headers.set('x-api-key', password)
  return new Request(request, { headers })
}

function decoded(encoded: string): string {
  try {
    return atob(encoded)
  } catch {
    return ''
  }
}
