// The workers of a sound run: one process that works for three groups, event after event.
import type { GroupEvidence } from '../src/check/evidence.ts'
import { type LogRow, seenOf } from '../src/clients/log.ts'
import type { Note } from '../src/workers/notes.ts'
import { isMatching, isRefused, type Plan } from '../src/workers/plan.ts'

const plan = { config: {}, isOrdered: false, refuses: false, max: 10 }

const plans = {
  unordered: { ...plan, name: 'unordered' },
  ordered: { ...plan, name: 'ordered', isOrdered: true },
  refusing: { ...plan, name: 'refusing', refuses: true, sources: ['a'] },
} satisfies Readonly<Record<string, Plan>>

/** An event that the refusing group refuses, by its number of the source `a`. */
export const refusedNumber = 135

/** When an event is pulled, asked to be acknowledged and told to be. */
export const stepMs = 10
const pulledAt = (seq: number) => seq * stepMs
export const askedAt = (seq: number): number => pulledAt(seq) + 2

export const tokenOf = (name: string, seq: number, attempt = 1): string => `${name}.${attempt}.${seq}`

export const gotNote = (
  topic: string,
  name: string,
  row: LogRow,
  {
    at = pulledAt(row.seq),
    attempt = 1,
    ...differs
  }: { at?: number; attempt?: number; digest?: string } = {},
): Note => {
  const { source } = row
  const token = tokenOf(name, row.seq, attempt)
  const item = { topic, epoch: 1, source, ...seenOf(row), attempt, token, ...differs }
  return { kind: 'got', at, subscription: name, grant: `${name}.${attempt}.${at}`, items: [item] }
}

let asked = 0

/** A settle that was answered. */
export function settleNotes(name: string, token: string, at: number, result = 'done', wish = 'ack'): Note[] {
  asked += 1
  return [
    { kind: 'asked', at, subscription: name, number: asked, items: [{ token, do: wish }] },
    { kind: 'told', at: at + 1, number: asked, items: [{ token, result }] },
  ]
}

export const groupsOf = (topic: string, log: readonly LogRow[]): GroupEvidence => ({
  plans: Object.values(plans),
  notes: new Map([['worker-1', notesOf(topic, log)]]),
  dead: new Map(
    Object.values(plans).map((plan) => [
      plan.name,
      log
        .filter(({ id, source }) => isMatching(plan, source) && isRefused(plan, id))
        .map(({ seq }) => ({ topic, seq })),
    ]),
  ),
  floors: Object.keys(plans).flatMap((subscription) => [
    {
      subscription,
      topic,
      at: askedAt(3) + 1,
      floor: Math.min(3, log.length),
      firstUnsettled: Math.min(3, log.length) + 1,
    },
    { subscription, topic, at: 1e6, floor: log.length, firstUnsettled: log.length + 1 },
  ]),
  drain: { ms: 2_000, msMax: 15_000, left: '' },
})

const notesOf = (topic: string, log: readonly LogRow[]): Note[] =>
  Object.values<Plan>(plans).flatMap((plan) =>
    log
      .filter(({ source }) => isMatching(plan, source))
      .flatMap((row) => {
        const wish = isRefused(plan, row.id) ? 'nak' : 'ack'
        return [
          gotNote(topic, plan.name, row),
          ...settleNotes(plan.name, tokenOf(plan.name, row.seq), askedAt(row.seq), 'done', wish),
        ]
      }),
  )
