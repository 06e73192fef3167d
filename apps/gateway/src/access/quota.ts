/**
 * What a key may publish in a second, in events and in bytes: a bucket for each, which holds what comes in a second. The
 * buckets are this process's, so a key that comes to three gateways may do three times as much.
 */
import type { Grant } from '@sekali/core/access'
import { SekaliError } from '@sekali/core/errors'
import { refusal } from '../http/problem.ts'
import type { Answer } from '../http/reply.ts'

/** Of one of the two there is not enough left. Nothing of the request was published. */
export class RateLimited extends SekaliError {
  readonly code = 'rate_limited'
  readonly retryable = true
  readonly waitSeconds: number
  /** As the answer's headers say it: draft-ietf-httpapi-ratelimit-headers-10. */
  readonly headers: Readonly<Record<string, string>>

  constructor(waitSeconds: number, headers: Readonly<Record<string, string>>) {
    super('the key publishes faster than it may')
    this.waitSeconds = waitSeconds
    this.headers = headers
  }
}

/** More at once than the key may ever publish: to wait would not help. */
class BeyondQuota extends SekaliError {
  readonly code = 'body_too_large'
  readonly retryable = false
}

export interface Amount {
  readonly events: number
  readonly bytes: number
}

export interface Quota {
  /** The most that it may publish at once. */
  readonly most: Amount
  /** Throws `BeyondQuota` if a body of so many bytes can never be published. */
  requireRoom(bytes: number): void
  /** Takes both or nothing. Throws `RateLimited`, or `BeyondQuota` for more than there ever is. */
  spend(amount: Amount): void
  /** Takes both, also what is not there yet, and returns for how many seconds the caller has to wait then. */
  owe(amount: Amount): number
}

const most: Amount = { events: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }
export const unlimited: Quota = { most, requireRoom: () => undefined, spend: () => undefined, owe: () => 0 }

interface Bucket {
  readonly name: keyof Amount
  readonly perSecond: number
  left: number
}

/** The buckets of one holder. `now` is in milliseconds, of a clock that never steps. */
export function createQuota(
  { eventsPerSecond, bytesPerSecond }: Pick<Grant, 'eventsPerSecond' | 'bytesPerSecond'>,
  now = () => performance.now(),
): Quota {
  const buckets: Bucket[] = []
  if (eventsPerSecond !== undefined) buckets.push({ name: 'events', ...full(eventsPerSecond) })
  if (bytesPerSecond !== undefined) buckets.push({ name: 'bytes', ...full(bytesPerSecond) })
  if (buckets.length === 0) return unlimited
  let filledAt = now()

  function fill(): void {
    const at = now()
    const seconds = (at - filledAt) / 1_000
    for (const bucket of buckets) {
      bucket.left = Math.min(bucket.perSecond, bucket.left + seconds * bucket.perSecond)
    }
    filledAt = at
  }

  const waitFor = (wanted: Amount): number =>
    Math.max(0, ...buckets.map(({ name, perSecond, left }) => (wanted[name] - left) / perSecond))

  function take(amount: Amount): void {
    for (const bucket of buckets) bucket.left -= amount[bucket.name]
  }

  function require(amount: Amount): void {
    const tooSmall = buckets.find(({ name, perSecond }) => amount[name] > perSecond)
    if (tooSmall === undefined) return
    const { name, perSecond } = tooSmall
    throw new BeyondQuota(`This key may publish ${perSecond} ${name} in a second, and no more at once.`)
  }

  return {
    requireRoom: (bytes) => require({ events: 0, bytes }),
    most: { events: eventsPerSecond ?? most.events, bytes: bytesPerSecond ?? most.bytes },
    spend(amount) {
      require(amount)
      fill()
      const waitSeconds = waitFor(amount)
      if (waitSeconds > 0) throw new RateLimited(waitSeconds, headersOf(buckets))
      take(amount)
    },
    owe(amount) {
      fill()
      take(amount)
      return waitFor({ events: 0, bytes: 0 })
    },
  }
}

/** The answer if that is what went wrong. */
export function refusalOfQuota(error: unknown): Answer | undefined {
  if (error instanceof BeyondQuota) return refusal(error.code, { detail: error.message })
  if (!(error instanceof RateLimited)) return undefined
  const headers = { ...error.headers, 'Retry-After': String(Math.ceil(error.waitSeconds)) }
  return refusal(error.code, { headers })
}

const full = (perSecond: number) => ({ perSecond, left: perSecond })

/** As structured fields (RFC 9651): what the policy is, and what is left now. */
function headersOf(buckets: readonly Bucket[]): Readonly<Record<string, string>> {
  const unitOf = ({ name }: Bucket) => (name === 'bytes' ? ';qu="content-bytes"' : '')
  return {
    'RateLimit-Policy': buckets.map((one) => `"${one.name}";q=${one.perSecond};w=1${unitOf(one)}`).join(', '),
    RateLimit: buckets.map(({ name, left }) => `"${name}";r=${Math.max(0, Math.floor(left))};t=1`).join(', '),
  }
}
