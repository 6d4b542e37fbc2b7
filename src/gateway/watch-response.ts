import { decodeTextHeaders } from '../core/event-stream/headers.ts'
import { MessageReader } from '../core/event-stream/reader.ts'
import { decodeBase64Text } from '../core/internal/base64.ts'
import { isJsonObject, parseJsonObject } from '../core/internal/json.ts'
import { usageFromBody, usageFromEvent, usageFromHeaders } from '../core/transport/usage.ts'
import { headersToRecord } from '../core/internal/headers.ts'
import type { TokenUsage } from '../core/types.ts'
import type { OutputMeter } from './output-meter.ts'

/** Reads the usage from a Bedrock response while its bytes pass unchanged. */
export interface ResponseWatch {
  readonly usage: TokenUsage
  /** The type of the exception that ended a stream. */
  readonly exception: string | undefined
  push(bytes: Uint8Array): void
  end(): void
}

/** Creates a watch for a response, streamed or complete by its content type. */
export function watchResponse(headers: Headers, meter: OutputMeter): ResponseWatch {
  const isStream = headers.get('content-type')?.toLowerCase().startsWith('application/vnd.amazon.eventstream')
  return isStream ? new StreamWatch(meter) : new AnswerWatch(usageFromHeaders(headersToRecord(headers)), meter)
}

/** Reads the tokens of a complete response from its headers, or else from its body. */
class AnswerWatch implements ResponseWatch {
  usage: TokenUsage
  readonly exception = undefined
  readonly #meter: OutputMeter
  readonly #isTold: boolean
  readonly #decoder = new TextDecoder()
  #text = ''

  constructor(usage: TokenUsage, meter: OutputMeter) {
    this.usage = usage
    this.#meter = meter
    this.#isTold = usage.outputTokens !== undefined
    // Bedrock has counted everything, however much of it arrives.
    meter.isWhole = this.#isTold
  }

  push(bytes: Uint8Array): void {
    if (!this.#isTold) this.#text += this.#decoder.decode(bytes, { stream: true })
  }

  end(): void {
    if (this.#isTold) return
    this.usage = usageFromBody(parseJsonObject(this.#text)?.usage)
    this.#meter.isWhole = true
  }
}

const usualBeginning = '{"bytes":"'

/** Reads the tokens of a stream from its first and last events. */
class StreamWatch implements ResponseWatch {
  usage: TokenUsage = {}
  exception: string | undefined
  readonly #meter: OutputMeter
  readonly #reader = new MessageReader(decodeTextHeaders)
  #isBroken = false

  constructor(meter: OutputMeter) {
    this.#meter = meter
  }

  push(bytes: Uint8Array): void {
    if (this.#isBroken) return
    try {
      this.#reader.push(bytes)
      while (this.#reader.read()) this.#see()
    } catch {
      // The client detects the fault from the same bytes.
      this.#isBroken = true
    }
  }

  end(): void {}

  #see(): void {
    const { bytes, payloadStart, payloadEnd, headers } = this.#reader
    if (headers[':message-type'] !== 'event') {
      this.exception = headers[':exception-type'] ?? headers[':error-code']
      return
    }
    const start = payloadStart + usualBeginning.length
    const end = bytes.indexOf(34, start)
    const json = end > 0 && end < payloadEnd ? decodeBase64Text(bytes, start, end) : undefined
    if (!json) return
    if (json.startsWith('{"type":"content_block_delta"')) {
      this.#meter.addDelta(json.length)
      return
    }
    const event: unknown = JSON.parse(json)
    if (!isJsonObject(event)) return
    this.usage = usageFromEvent(event, this.usage)
    if (event.type === 'message_stop') this.#meter.isWhole = true
  }
}
