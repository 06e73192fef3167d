import { InvalidConfig } from '@sekali/core/errors'
import { limits } from '@sekali/core/limits'
import type { Published, PublishedBatch } from '../answers.ts'
import { requireWhole } from '../arguments.ts'
import { type Connection, call, jsonOf } from '../connection/connection.ts'
import { issueText } from '../connection/failure.ts'
import { type CallOptions, retryDefaults } from '../connection/retry.ts'
import { Invalid } from '../errors.ts'
import { type Publishable, textOf } from './event-text.ts'

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
  if (!Array.isArray(events)) throw new InvalidConfig('publishBatch takes an array of events')
  const { texts, refused } = textsOf(events)
  if (refused.size > 0 && !options.lenient) throw refusalOf(refused)
  const answer = await post(connection, `[${texts.join(',')}]`, options)
  const batch = jsonOf<PublishedBatch>(answer, (value) => 'queued' in value)
  if (refused.size === 0 || batch.events === undefined) return batch
  // Of a null the gateway can only say that it is no event.
  const named = batch.events.map(({ index, errors }) => {
    const issues = refused.get(index)?.issues ?? []
    return { index, errors: issues.some(({ path }) => path !== '') ? issues : errors }
  })
  return { ...batch, events: named }
}

/** What would spoil the whole batch becomes `null`: the gateway refuses that alone, and names its index. */
function textsOf(events: readonly Publishable[]) {
  const refused = new Map<number, Invalid>()
  // Not map(), which passes over holes.
  const texts = Array.from(events, (event, index) => {
    try {
      return textOf(event)
    } catch (error) {
      if (!(error instanceof Invalid)) throw error
      refused.set(index, error)
      return 'null'
    }
  })
  return { texts, refused }
}

function refusalOf(refused: ReadonlyMap<number, Invalid>): Invalid {
  const issues = [...refused].flatMap(([index, error]) => error.issues.map((issue) => ({ index, ...issue })))
  const [first] = refused.values()
  const failure = { status: 422, code: first?.code ?? 'invalid_event' }
  return new Invalid(issues.slice(0, limits.issuesNamedMax).map(issueText).join('; '), failure, issues)
}

/** Sends a body. It stays the same over all tries: a repeat is known by its ids. */
export async function post(
  connection: Connection,
  body: string,
  { waitSeconds = 0, lenient = false, ...options }: PublishBatchOptions,
) {
  requireWhole('waitSeconds', waitSeconds, 0, 60)
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
