/**
 * Formats one server-sent event.
 *
 * @param json - without line breaks, as from `JSON.stringify`
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function serverSentEvent(name: string, json: string): string {
  return `event: ${name}\ndata: ${json}\n\n`
}
