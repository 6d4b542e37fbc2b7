import { EventIterator, eventIterator } from '../core/internal/event-iterator.ts'
import type { JsonObject } from '../core/types.ts'
import type { OutputMeter } from './output-meter.ts'

/** Passes events on, and reports them to a meter without parsing deltas. */
export function watchEvents(events: AsyncIterable<JsonObject>, meter: OutputMeter): AsyncIterable<JsonObject> {
  return new WatchedEvents(eventIterator(events), meter)
}

class WatchedEvents extends EventIterator {
  readonly #source: EventIterator
  readonly #meter: OutputMeter

  constructor(source: EventIterator, meter: OutputMeter) {
    super()
    this.#source = source
    this.#meter = meter
  }

  take(): JsonObject | undefined {
    return this.#seen(this.#source.take()) as JsonObject | undefined
  }

  override takeText(): JsonObject | string | undefined {
    return this.#seen(this.#source.takeText())
  }

  protected wait(): Promise<boolean> {
    return this.#source.more()
  }

  close(): unknown {
    return this.#source.close()
  }

  #seen(event: JsonObject | string | undefined): JsonObject | string | undefined {
    if (typeof event === 'string') this.#meter.addDelta(event.length)
    else if (event?.type === 'content_block_delta') this.#meter.addDelta(JSON.stringify(event).length)
    else if (event?.type === 'message_stop') this.#meter.isWhole = true
    return event
  }
}
