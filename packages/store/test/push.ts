/** What tests of push subscriptions share. */
import { randomBytes } from 'node:crypto'
import { parsePattern } from '@sekali/core/pattern'
import { ownStore } from '@sekali/testkit/own'
import type { Store } from '../src/postgres/connect.ts'
import { readEndpoints } from '../src/push/endpoints.ts'
import { putPush } from '../src/push/put.ts'
import { takePushTurn } from '../src/push/turn.ts'
import type {
  AttemptReport,
  Endpoint,
  JudgeOptions,
  PushConfig,
  PushedEvent,
  PushOutcome,
  PushTurn,
  PushTurnRequest,
} from '../src/push/types.ts'
import { findSubscription } from '../src/subscriptions/read.ts'
import { add, by } from './subscriptions.ts'

export const pushOf = (changes: Partial<PushConfig> = {}): PushConfig => ({
  name: 'mailer',
  topics: parsePattern('orders'),
  from: 'start',
  order: 'none',
  filter: {},
  url: 'https://example.com/hook',
  headers: null,
  concurrency: 10,
  ratePerSecond: null,
  timeoutSeconds: 15,
  body: 'standard',
  batchMax: 1,
  retrySeconds: [5, 300],
  onExhausted: 'skip',
  ...changes,
})

export const sealed = Buffer.from('sealed')

/** A store with a topic of so many events and a push subscription to it. */
export async function pushed(count: number, changes: Partial<PushConfig> = {}) {
  const store = await ownStore()
  await add(store, 'orders', count)
  await putPush(store, pushOf(changes), sealed, by)
  return store
}

const judge: JudgeOptions = {
  degradeAfter: 5,
  disableAfterSeconds: 432_000,
  disableSpanSeconds: 43_200,
  probeSeconds: 3_600,
  holdSecondsMax: 60,
}

type Changes = Partial<Omit<PushTurnRequest, 'judge'>> & { readonly judge?: Partial<JudgeOptions> }

/** A turn that would take ten events of each kind. */
export const turn = (
  store: Store,
  outcomes: readonly PushOutcome[] = [],
  changes: Changes = {},
): Promise<PushTurn> =>
  takePushTurn(store, {
    name: 'mailer',
    outcomes,
    firstMax: 10,
    againMax: 10,
    max: 10,
    bytesMax: 1024 * 1024,
    arrayBytesMax: 64 * 1024,
    worker: 'd-1',
    grant: randomBytes(16),
    ...changes,
    judge: { ...judge, ...changes.judge },
  })

export const reportOf = (
  { topicId, attempt, event }: PushedEvent,
  changes: Partial<AttemptReport> & { readonly retryAfterSeconds?: number } = {},
): PushOutcome['report'] => ({
  kind: 'event',
  state: 'delivered',
  status: 200,
  error: null,
  durationMs: 12,
  request: { url: 'https://example.com/hook', headers: { 'webhook-id': 'evt_1' } },
  response: { headers: { 'content-type': 'text/plain' }, body: 'ok', cut: false },
  retryInSeconds: null,
  topicId,
  epoch: event.epoch ?? 1,
  seq: event.seq,
  attempt,
  ageMs: 20,
  ...changes,
})

export const delivered = (items: readonly PushedEvent[], kind: 'event' | 'probe' = 'event'): PushOutcome[] =>
  items.map((item) => ({ token: item.token, do: 'ack', report: reportOf(item, { kind }) }))

export const failed = (
  items: readonly PushedEvent[],
  changes: Parameters<typeof reportOf>[1] = {},
  outcome: Partial<PushOutcome> = {},
): PushOutcome[] =>
  items.map((item) => ({
    token: item.token,
    do: 'nak',
    delaySeconds: 5,
    reason: 'status 500',
    report: reportOf(item, { state: 'failed', status: 500, error: 'status', retryInSeconds: 5, ...changes }),
    ...outcome,
  }))

export async function idOf(store: Store, name = 'mailer'): Promise<number> {
  return (await findSubscription(store, name))?.id ?? 0
}

export async function endpointOf(store: Store, name = 'mailer'): Promise<Endpoint> {
  const id = await idOf(store, name)
  const endpoint = (await readEndpoints(store, [id])).get(id)
  if (endpoint === undefined) throw new Error('no such endpoint')
  return endpoint
}

export const seqsIn = ({ items }: PushTurn): number[] => items.map(({ event }) => event.seq)
