// Calls about subscriptions whose events are sent to an endpoint.
import { InvalidConfig } from '@sekali/core/errors'
import { checkQuery, requireText } from '../arguments.ts'
import { type Connection, call, jsonOf, nextQuery, search } from '../connection/connection.ts'
import type { Answer } from '../connection/request.ts'
import { type CallOptions, retryDefaults } from '../connection/retry.ts'
import { drop } from '../drop.ts'
import type { Attempt, AttemptsQuery, RotatedSecret } from './subscription.ts'
import { pathOf } from './subscriptions.ts'

/** What was sent and what came back, newest first, page after page. */
export async function* listAttempts(
  connection: Connection,
  name: string,
  query: AttemptsQuery = {},
  options: CallOptions = {},
): AsyncGenerator<Attempt, void> {
  checkQuery(query)
  const path = `${pathOf(name)}/attempts`
  for (let next: string | undefined = search(query); next !== undefined; ) {
    const answer: Answer = await call(connection, `${path}${next}`, { method: 'GET' }, options)
    yield* jsonOf<Attempt[]>(answer, Array.isArray)
    next = nextQuery(answer.header('link'))
  }
}

/** An endpoint may take a minute. */
const endpointMs = 60_000

/** Has a sample sent, and resolves with what came back, whether it was delivered or not. Not tried again. */
export const testEndpoint = async (
  connection: Connection,
  name: string,
  options: CallOptions = {},
): Promise<Attempt> => {
  const { requestMs = retryDefaults.requestMs, totalMs = retryDefaults.totalMs } = connection.retry
  const limits = { ...connection.retry, requestMs: requestMs + endpointMs, totalMs: totalMs + endpointMs }
  const answer = await call(connection, `${pathOf(name)}/test`, { method: 'POST' }, once(options), limits)
  return jsonOf<Attempt>(answer, (value) => 'duration_ms' in value)
}

/** Has one event sent again. */
export const retryDelivery = async (
  connection: Connection,
  name: string,
  topic: string,
  seq: number,
  options: CallOptions = {},
): Promise<void> => {
  requireText('topic', topic)
  const path = `${pathOf(name)}/deliveries/${encodeURIComponent(topic)}/${numberOf('seq', seq)}/retry`
  await call(connection, path, { method: 'POST' }, options)
}

/** Makes another secret; the others sign for 24 hours more. Not tried again: a lost answer would leave one that nobody has seen. */
export const rotateSecret = async (
  connection: Connection,
  name: string,
  options: CallOptions = {},
): Promise<RotatedSecret> =>
  jsonOf<RotatedSecret>(
    await call(connection, `${pathOf(name)}/secrets`, { method: 'POST' }, once(options)),
    (value) => 'secret' in value,
  )

export const dropSecret = async (
  connection: Connection,
  name: string,
  id: number,
  options?: CallOptions,
): Promise<void> =>
  await drop(connection, `${pathOf(name)}/secrets/${numberOf('id', id)}`, 'unknown_secret', options)

const once = (options: CallOptions): CallOptions => ({
  ...options,
  onRetry: ({ error }) => {
    throw error
  },
})

/** Throws InvalidConfig for what would be another path. */
function numberOf(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new InvalidConfig(`${name} must be a whole number from 1`)
}
