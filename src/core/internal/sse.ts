/**
 * One server-sent event.
 *
 * @param json - without line breaks, as `JSON.stringify` writes it
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export function serverSentEvent(name: string, json: string): string {
  return `event: ${name}\ndata: ${json}\n\n`
}
