import type { IncomingMessage } from 'node:http'
import type { Event } from '@sekali/core/event'
import type { Sifted } from '@sekali/core/parse'
import type { Position } from '@sekali/core/position'
import { digestOfJson } from '@sekali/store/content-tag'
import { digestOf, type Outcome, type Sent } from '@sekali/store/outcomes'
import { principalOf } from '../access/principals.ts'
import type { Share } from '../clients/budget.ts'
import { applied } from '../http/prefer.ts'
import { refusal } from '../http/problem.ts'
import { type Answer, answer } from '../http/reply.ts'
import type { PublishDeps } from './deps.ts'
import { refusalOfNone, siftedFields } from './lenient.ts'
import { readAllowed } from './read-allowed.ts'
import type { RequestTrace } from './trace.ts'

/**
 * POST /publish with `Prefer: wait=N`: publishes, and answers with the outcome as soon as it is known, or with `queued`
 * after N seconds.
 */
export async function publishAndWait(
  deps: PublishDeps,
  request: IncomingMessage,
  { waitSeconds, isLenient, trace }: Waiting,
): Promise<Answer> {
  // Before the body is read: a request that is refused has cost nothing.
  const client = deps.clients.of(request)
  using requestShare = deps.receipts.requests.share(client)
  requestShare.hold(1)
  using eventShare = deps.receipts.events.share(client)
  const published = await publish(deps, request, eventShare, { isLenient, trace })
  if ('status' in published) return published
  const { sent, isBatch, sifted } = published
  const outcomes = await waitWhileHere(request, (signal) =>
    deps.receipts.wait(sent, waitSeconds * 1_000, signal),
  )
  const headers = applied({ waitSeconds, isLenient: sifted !== undefined })
  if (isBatch) return answerAll(sent, outcomes, headers, sifted)
  return answerOne(sent[0], outcomes[0], headers, deps.random)
}

interface Waiting {
  readonly waitSeconds: number
  readonly isLenient: boolean
  readonly trace: RequestTrace | undefined
}

/** What waits for its outcome. */
interface PublishedBody {
  readonly sent: Sent[]
  readonly isBatch: boolean
  readonly sifted: Sifted | undefined
}

/** A function of its own, so that neither the body nor its events are in memory while the outcome is waited for. */
async function publish(
  deps: PublishDeps,
  request: IncomingMessage,
  eventShare: Share,
  { isLenient, trace }: Pick<Waiting, 'isLenient' | 'trace'>,
): Promise<PublishedBody | Answer> {
  const { budget, clients, timeSlices, newTopics, pressure, portions, onAccepted, random } = deps
  const client = clients.of(request)
  using byteShare = budget.share(client)
  const allowed = await readAllowed(deps, request, byteShare, isLenient)
  if ('status' in allowed) return allowed
  const { read } = allowed
  const { events, isBatch } = read
  const sifted = read.isBatch ? read.sifted : undefined
  const none = refusalOfNone(sifted, request.headers)
  if (none !== undefined) return none
  // Before anything is queued: a request that is refused has published nothing.
  eventShare.hold(events.length)
  pressure.admit(events)
  await newTopics.admit(client, events)
  trace?.note(events)
  const { queued, failure, positions } = await portions.appendWithPositions(
    client,
    events,
    trace?.traceparent,
  )
  onAccepted(queued)
  if (failure !== undefined) return refusal(failure.code, { random, ...(isBatch ? { queued } : {}) })
  return { sent: await timeSlices.run(client, remember(events, positions)), isBatch, sifted }
}

function* remember(
  events: readonly Event[],
  positions: readonly (Position | undefined)[],
): Generator<undefined, Sent[]> {
  const sent: Sent[] = []
  for (const [index, { topic, eventId, timestamp, payload }] of events.entries()) {
    const position = positions[index]
    if (position === undefined) throw new Error('an entry without an id')
    const digests = { digest: digestOf(payload), jsonDigest: digestOfJson(payload) }
    sent.push({ topic, eventId, timestamp, position, ...digests })
    yield
  }
  return sent
}

/** Waits as long as the client stays, and may: `signal` is aborted when it leaves, and when its key is revoked. */
async function waitWhileHere<T>(
  request: IncomingMessage,
  wait: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { socket } = request
  const left = new AbortController()
  const onClose = () => left.abort()
  socket.once('close', onClose)
  using _life = principalOf(request).life.onEnd(onClose)
  try {
    if (socket.destroyed) onClose()
    return await wait(left.signal)
  } finally {
    socket.off('close', onClose)
  }
}

type Headers = Readonly<Record<string, string>>
const json = { 'Content-Type': 'application/json' }

function answerOne(
  sent: Sent | undefined,
  outcome: Outcome | undefined,
  headers: Headers,
  random: () => number,
): Answer {
  const event_id = sent?.eventId ?? ''
  switch (outcome?.status) {
    case 'stored':
    case 'duplicate': {
      const { status, ...known } = outcome
      return answer(200, JSON.stringify({ status, event_id, ...known }), { ...json, ...headers })
    }
    case 'conflict':
      return refusal('conflict', {
        headers,
        event_id,
        seq: outcome.seq,
        ...(outcome.epoch !== undefined && { epoch: outcome.epoch }),
      })
    case 'dead':
      return refusal('dead_event', { headers, event_id, reason: outcome.reason, status: 422 })
    case 'lost':
      return refusal('event_lost', { headers, event_id, random })
    default:
      return answer(202, JSON.stringify({ status: 'queued', event_id }), { ...json, ...headers })
  }
}

function answerAll(
  sent: readonly Sent[],
  outcomes: readonly Outcome[],
  headers: Headers,
  sifted: Sifted | undefined,
): Answer {
  const isSettled = outcomes.every(({ status }) => status !== 'queued')
  const receipts = sent.map(({ eventId }, index) => ({
    // Where not all is taken, the index in the answer is not the index in the array.
    ...(sifted && { index: sifted.indexes[index] }),
    event_id: eventId,
    ...outcomes[index],
  }))
  const status = isSettled ? 'settled' : 'queued'
  const body = { status, queued: sent.length, ...(sifted && siftedFields(sifted)), receipts }
  return answer(isSettled ? 200 : 202, JSON.stringify(body), { ...json, ...headers })
}
