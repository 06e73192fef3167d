import type { EventToPublish, Published, PublishedBatch } from '../answers.ts'
import { type Connection, call, jsonOf } from '../connection/connection.ts'
import { type CallOptions, retryDefaults } from '../connection/retry.ts'
import { Invalid } from '../errors.ts'

/**
 * An event, or its JSON text, which goes out as it is: JSON.parse and JSON.stringify would make another number of
 * an integer beyond 2^53.
 */
export type Publishable = EventToPublish | string

export interface PublishOptions extends CallOptions {
  /** How long the gateway may wait until it knows what comes of the event, 1 to 60; otherwise it does not wait. */
  readonly waitSeconds?: number | undefined
}

export interface PublishBatchOptions extends PublishOptions {
  /** Queue the valid events although others are not: the answer says how many are not, and which. */
  readonly lenient?: boolean | undefined
}

export async function publish(
  connection: Connection,
  event: Publishable,
  options: PublishOptions = {},
): Promise<Published> {
  return jsonOf(await post(connection, textOf(event), options), (answer) => 'event_id' in answer)
}

export async function publishBatch(
  connection: Connection,
  events: readonly Publishable[],
  options: PublishBatchOptions = {},
): Promise<PublishedBatch> {
  const body = `[${events.map(options.lenient ? textOrNull : textOf).join(',')}]`
  return jsonOf(await post(connection, body, options), (answer) => 'queued' in answer)
}

/** Sends a body. It stays the same over all tries: a repeat is known by its ids. */
export function post(
  connection: Connection,
  body: string,
  { waitSeconds = 0, lenient = false, ...options }: PublishBatchOptions,
) {
  const { requestMs = retryDefaults.requestMs, totalMs = retryDefaults.totalMs } = connection.retry
  const waitMs = waitSeconds * 1_000
  const preferences = [
    ...(lenient ? ['handling=lenient'] : []),
    ...(waitSeconds > 0 ? [`wait=${waitSeconds}`] : []),
  ]
  const headers: Record<string, string> = preferences.length > 0 ? { prefer: preferences.join(', ') } : {}
  const limits = { ...connection.retry, requestMs: requestMs + waitMs, totalMs: totalMs + waitMs }
  return call(connection, '/publish', { method: 'POST', headers, body }, options, limits)
}

/** An event's JSON text. Throws Invalid for a text that is not one JSON object: it would spoil the whole batch. */
export function textOf(event: Publishable): string {
  if (typeof event !== 'string') return JSON.stringify(event)
  if (isJsonObject(event)) return event
  const issue = { path: '', code: 'malformed_json', message: 'must be the JSON of one event' }
  throw new Invalid(issue.message, { status: 422, code: issue.code }, [issue])
}

/** A text that would spoil the whole batch becomes `null`: the gateway refuses that alone, and names its index. */
const textOrNull = (event: Publishable): string =>
  typeof event === 'string' && !isJsonObject(event) ? 'null' : textOf(event)

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    // Half a surrogate pair would become U+FFFD on its way.
    return typeof value === 'object' && value !== null && !Array.isArray(value) && text.isWellFormed()
  } catch {
    return false
  }
}
