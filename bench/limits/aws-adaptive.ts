// The rate limiter of the AWS SDKs' adaptive mode, written from its published algorithm: a token bucket of requests, off
// until the first throttle, whose rate follows CUBIC.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html

const beta = 0.7
const scale = 0.4
const smoothing = 0.8
const minRate = 0.5

export class AdaptiveLimiter {
  readonly #seconds: () => number
  #isOn = false
  #rate = 0
  #capacity = 1
  #tokens = 0
  #refilledAt: number
  #maxRate = 0
  #throttledAt: number
  #measured = 0
  #measuredSlot: number
  #count = 0

  /** @param seconds - returns the time */
  constructor(seconds: () => number) {
    this.#seconds = seconds
    this.#refilledAt = seconds()
    this.#throttledAt = seconds()
    this.#measuredSlot = Math.floor(seconds())
  }

  /** Returns the seconds to wait for a token; 0 if it took one. */
  take(): number {
    if (!this.#isOn) return 0
    this.#refill()
    if (this.#tokens < 1) return (1 - this.#tokens) / this.#rate
    this.#tokens--
    return 0
  }

  /** Updates the rate after an attempt. */
  update(isThrottled: boolean): void {
    const now = this.#seconds()
    this.#measure(now)
    let rate: number
    if (isThrottled) {
      this.#maxRate = this.#isOn ? Math.min(this.#measured, this.#rate) : this.#measured
      this.#throttledAt = now
      this.#isOn = true
      rate = this.#maxRate * beta
    } else {
      const window = Math.cbrt((this.#maxRate * (1 - beta)) / scale)
      rate = scale * (now - this.#throttledAt - window) ** 3 + this.#maxRate
    }
    this.#refill()
    this.#rate = Math.max(minRate, Math.min(rate, 2 * this.#measured))
    this.#capacity = Math.max(1, Math.min(rate, 2 * this.#measured))
    this.#tokens = Math.min(this.#capacity, this.#tokens)
  }

  #refill(): void {
    const now = this.#seconds()
    this.#tokens = Math.min(this.#capacity, this.#tokens + (now - this.#refilledAt) * this.#rate)
    this.#refilledAt = now
  }

  #measure(now: number): void {
    const slot = Math.floor(now * 2) / 2
    this.#count++
    if (slot <= this.#measuredSlot) return
    const current = this.#count / (slot - this.#measuredSlot)
    this.#measured = current * smoothing + this.#measured * (1 - smoothing)
    this.#count = 0
    this.#measuredSlot = slot
  }
}
