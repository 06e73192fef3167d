// The receivers of a sound run: every event arrives once, and is taken.
import type { AttemptSeen, EndpointEvidence } from '../src/check/evidence.ts'
import { type LogRow, seenOf } from '../src/clients/log.ts'
import type { ReceiverNote } from '../src/receivers/notes.ts'
import { type EndpointPlan, hookIdOf, isFor, isRefusedHook } from '../src/receivers/plan.ts'

const plan = {
  config: { retry_s: [1] },
  order: 'none',
  body: 'standard',
  kind: 'now and then',
  own: '',
} as const

const plans = {
  any: { ...plan, name: 'any', sources: ['a', 'b'] },
  source: { ...plan, name: 'source', sources: ['a'], order: 'source' },
  topic: { ...plan, name: 'topic', sources: ['a', 'b'], order: 'topic' },
  refusing: { ...plan, name: 'refusing', sources: ['a'], kind: 'refuses' },
  inside: { ...plan, name: 'inside', sources: ['b'], kind: 'inside' },
} satisfies Readonly<Record<string, EndpointPlan>>

const stepMs = 10
export const sentAt = (seq: number): number => seq * stepMs
const answeredAt = (seq: number): number => sentAt(seq) + 2

let count = 0

/** A request, and its answer if it gets one. */
export function sentNotes(
  topic: string,
  name: string,
  row: LogRow,
  changes: { at?: number; attempt?: number; status?: number; digest?: string; wrong?: string } = {},
): ReceiverNote[] {
  const { at = sentAt(row.seq), attempt = 1, status, ...differs } = changes
  count += 1
  const { seq, source } = row
  const { digest } = seenOf(row)
  const hook = hookIdOf(topic, row.id)
  const about = { plan: name, hook, topic, seq, source, attempt, digest, ...differs }
  const sent: ReceiverNote = { kind: 'sent', at, number: count, ...about }
  if (status === undefined) return [sent]
  return [sent, { kind: 'answered', at: at + answeredAt(seq) - sentAt(seq), number: count, status }]
}

/** A request with several events, and its answer. */
export function arrayNotes(
  topic: string,
  name: string,
  rows: readonly LogRow[],
  { at, status }: { readonly at: number; readonly status: number },
): ReceiverNote[] {
  const sent = rows.flatMap((row) => sentNotes(topic, name, row, { at }))
  const number = ++count
  return [...sent.map((note) => ({ ...note, number })), { kind: 'answered', at: at + 1, number, status }]
}

export const attemptOf = (topic: string, seq: number, changes: Partial<AttemptSeen> = {}): AttemptSeen => ({
  ...{ topic, seq, attempt: 1, isDelivered: true, status: 200, error: null },
  ...changes,
})

const denied = { isDelivered: false, status: null, error: 'blocked_address: loopback' }
const refused = { isDelivered: false, status: 500, error: 'status 500' }

export function endpointsOf(topic: string, log: readonly LogRow[]): EndpointEvidence {
  const rowsOf = (plan: EndpointPlan) => log.filter(({ source }) => isFor(plan, { topic, source }))
  const isPoison = (plan: EndpointPlan, { id }: LogRow) => isRefusedHook(plan, hookIdOf(topic, id))
  const all = Object.values<EndpointPlan>(plans)
  const byPlan = <One>(of: (plan: EndpointPlan) => readonly One[]) =>
    new Map(all.map((plan) => [plan.name, of(plan)]))
  const place = ({ seq }: LogRow) => ({ topic, seq })
  return {
    plans: all,
    notes: [
      all.flatMap((plan) =>
        plan.kind === 'inside'
          ? []
          : rowsOf(plan).flatMap((row) =>
              isPoison(plan, row)
                ? [1, 2].flatMap((attempt) => sentNotes(topic, plan.name, row, { attempt, status: 500 }))
                : sentNotes(topic, plan.name, row, { status: 200 }),
            ),
      ),
    ],
    dead: byPlan((plan) =>
      rowsOf(plan)
        .filter((row) => isPoison(plan, row))
        .map(place),
    ),
    unsettled: byPlan((plan) => (plan.kind === 'inside' ? rowsOf(plan).map(place) : [])),
    attempts: byPlan((plan) =>
      rowsOf(plan).flatMap((row) => {
        if (plan.kind === 'inside') return [attemptOf(topic, row.seq, denied)]
        if (!isPoison(plan, row)) return [attemptOf(topic, row.seq)]
        return [1, 2].map((attempt) => attemptOf(topic, row.seq, { ...refused, attempt }))
      }),
    ),
    shown: 0,
    looks: [
      { unaccounted: [], events: 3, attempts: 3 },
      { unaccounted: [], events: log.length, attempts: log.length },
    ],
    lines: [],
    drain: { ms: 2_000, msMax: 26_000, left: '' },
  }
}

/** An event that the endpoint that refuses does so with, by its number of the source `a`. */
export const refusedHookNumber = (topic: string): number => {
  for (let n = 4; ; n++) if (isRefusedHook(plans.refusing, hookIdOf(topic, `a-${n}`))) return n
}
