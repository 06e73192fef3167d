// What happened to each event of an endpoint, out of the notes of its receivers and what PostgreSQL has.
import type { LogRow } from '../clients/log.ts'
import type { Sent } from '../receivers/notes.ts'
import { type EndpointPlan, hookIdOf, isFor } from '../receivers/plan.ts'
import type { AttemptSeen, EndpointEvidence, Evidence } from './evidence.ts'

/** What a receiver noted of one event. */
export interface Delivery {
  readonly sent: Sent[]
  /** When it first answered with success. */
  deliveredAt: number | undefined
}

/** One endpoint, with what is known of it. */
export interface Endpoint {
  readonly plan: EndpointPlan
  readonly deliveries: ReadonlyMap<string, Delivery>
  readonly dead: ReadonlySet<string>
  readonly unsettled: ReadonlySet<string>
  readonly attempts: readonly AttemptSeen[]
  readonly http: Evidence['http']
}

export const key = ({ topic, seq }: { readonly topic: string; readonly seq: number }): string =>
  `${topic} ${seq}`

export const endpointOf = (
  plan: EndpointPlan,
  { notes, dead, unsettled, attempts }: EndpointEvidence,
  http: Evidence['http'],
): Endpoint => ({
  plan,
  deliveries: deliveriesOf(notes, plan),
  dead: new Set(dead.get(plan.name)?.map(key)),
  unsettled: new Set(unsettled.get(plan.name)?.map(key)),
  attempts: attempts.get(plan.name) ?? [],
  http,
})

/** By `webhook-id`. */
function deliveriesOf(notes: EndpointEvidence['notes'], plan: EndpointPlan): Map<string, Delivery> {
  const deliveries = new Map<string, Delivery>()
  for (const ofReceiver of notes) {
    const byNumber = new Map<number, Delivery[]>()
    for (const note of ofReceiver) {
      if (note.kind === 'sent' && note.plan === plan.name) {
        const delivery = deliveries.get(note.hook) ?? { sent: [], deliveredAt: undefined }
        deliveries.set(note.hook, delivery)
        delivery.sent.push(note)
        byNumber.set(note.number, [...(byNumber.get(note.number) ?? []), delivery])
      }
      const isTaken = note.kind === 'answered' && isSuccess(note.status)
      for (const taken of (isTaken && byNumber.get(note.number)) || []) taken.deliveredAt ??= note.at
    }
  }
  return deliveries
}

const isSuccess = (status: number | null): boolean => status !== null && status >= 200 && status < 300

/** Every event of the log that the endpoint must get, in the order of its topic. */
export function* eventsOf({ plan, deliveries, http }: Endpoint) {
  for (const [topic, rows] of http) {
    for (const row of rows) {
      if (!isFor(plan, { topic, source: row.source })) continue
      const hook = hookIdOf(topic, row.id)
      yield { topic, row, hook, at: key({ topic, seq: row.seq }), delivery: deliveries.get(hook) }
    }
  }
}

export const nameOf = (topic: string, { seq, id }: Pick<LogRow, 'seq' | 'id'>): string =>
  `${topic} seq ${seq} (${id})`
