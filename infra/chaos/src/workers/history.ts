// What happened to each event of a group, out of the notes of all its workers.
import type { Delivered, Note } from './notes.ts'

interface Delivery extends Delivered {
  /** When its worker had it. */
  readonly at: number
}

/** What a worker asked of an event by its own token. */
interface Settling {
  /** Before the request was sent. */
  readonly at: number
  readonly do: string
  readonly delivery: Delivery
  /** Undefined when no answer came. */
  readonly result: string | undefined
}

export interface History {
  readonly deliveries: Delivery[]
  readonly settlings: Settling[]
  /** When an acknowledgement was first sent, with its own token or with that of a pull. */
  ackedAt: number | undefined
}

/**
 * Before when it cannot have been settled by an acknowledgement: when that one was sent that was answered with success, or else
 * the first. Infinity if none was sent.
 */
export const settledAt = (history: History | undefined): number =>
  history?.settlings.find((one) => one.do === 'ack' && one.result === 'done')?.at ??
  history?.ackedAt ??
  Number.POSITIVE_INFINITY

/** By topic and event id; see {@link keyOf}. */
export type Histories = ReadonlyMap<string, History>

export const keyOf = ({ topic, id }: Pick<Delivered, 'topic' | 'id'>): string => `${topic} ${id}`

/** Of one subscription. */
export function historiesOf(
  notes: ReadonlyMap<string, readonly Note[]>,
  subscription: string,
): Map<string, History> {
  const histories = new Map<string, History>()
  for (const ofWorker of notes.values()) collect(ofWorker, subscription, histories)
  for (const { deliveries } of histories.values()) deliveries.sort((a, b) => a.at - b.at)
  return histories
}

function collect(notes: readonly Note[], subscription: string, histories: Map<string, History>): void {
  const byToken = new Map<string, Delivery>()
  const byGrant = new Map<string, readonly Delivery[]>()
  const results = resultsOf(notes)
  for (const note of notes) {
    if ((note.kind !== 'got' && note.kind !== 'asked') || note.subscription !== subscription) continue
    const { at } = note
    if (note.kind === 'got') {
      const deliveries = note.items.map((item): Delivery => ({ ...item, at }))
      byGrant.set(note.grant, deliveries)
      for (const delivery of deliveries) {
        byToken.set(delivery.token, delivery)
        historyOf(histories, delivery).deliveries.push(delivery)
      }
      continue
    }
    for (const { token, do: wish } of note.items) {
      const delivery = byToken.get(token)
      const result = results.get(note.number)?.get(token)
      if (delivery !== undefined)
        historyOf(histories, delivery).settlings.push({ at, do: wish, delivery, result })
      if (wish !== 'ack') continue
      for (const one of delivery === undefined ? (byGrant.get(token) ?? []) : [delivery]) {
        const history = historyOf(histories, one)
        history.ackedAt = Math.min(at, history.ackedAt ?? at)
      }
    }
  }
}

const resultsOf = (notes: readonly Note[]): Map<number, Map<string, string>> =>
  new Map(
    notes
      .filter((note) => note.kind === 'told')
      .map(({ number, items }) => [number, new Map(items.map(({ token, result }) => [token, result]))]),
  )

function historyOf(histories: Map<string, History>, delivered: Delivered): History {
  const key = keyOf(delivered)
  const history = histories.get(key) ?? { deliveries: [], settlings: [], ackedAt: undefined }
  histories.set(key, history)
  return history
}
