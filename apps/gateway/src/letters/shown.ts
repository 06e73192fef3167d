/** Letters and operations as answers have them. */
import { letterIdText } from '@sekali/core/letter'
import type { Letter, Settled } from '@sekali/store/letters'
import type { Operation } from '@sekali/store/operations'

export function shownLetter({ kind, number, settled, ...letter }: Letter) {
  return {
    id: letterIdText({ kind, number }),
    kind,
    topic: letter.topic,
    event_id: letter.eventId,
    reason: letter.reason,
    entry_id: letter.entryId ?? undefined,
    seq: letter.seq ?? undefined,
    received_at: letter.receivedAt,
    stored_at: letter.storedAt,
    kept: letter.isKept,
    state: settled === undefined ? 'open' : 'settled',
    settled: settled && shownSettled(settled),
  }
}

const shownSettled = ({ became, at, by, operation, reason, eventId }: Settled) => ({
  became,
  at,
  by,
  operation: operation ?? undefined,
  reason: reason ?? undefined,
  event_id: eventId ?? undefined,
})

export const entryIdText = (number: number): string => letterIdText({ kind: 'entry', number })

export function shownOperation({ id, kind, state, filter, ...operation }: Operation) {
  return {
    id,
    kind,
    state,
    filter: { ...filter, id: filter.id === undefined ? undefined : entryIdText(filter.id) },
    as_of: entryIdText(operation.asOf),
    rate: operation.rate,
    matched: operation.matched,
    done: operation.done,
    outcomes: operation.outcomes,
    created_at: operation.createdAt,
    created_by: operation.createdBy,
    finished_at: operation.finishedAt,
    error: operation.error ?? undefined,
  }
}
