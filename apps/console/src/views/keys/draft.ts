/** A key that somebody is about to make, as the form has it. */
import type { Scope } from '@sekali/core/access'

export interface Draft {
  readonly name: string
  readonly scopes: readonly Scope[]
  /** One a line. */
  readonly topics: string
  readonly source: string
  readonly events_per_second: string
  readonly bytes_per_second: string
  /** Days from now; empty for never. */
  readonly ends: string
}

export const emptyDraft: Draft = {
  name: '',
  scopes: ['read'],
  topics: '',
  source: '',
  events_per_second: '',
  bytes_per_second: '',
  ends: '90',
}

export const ends = [
  ['1', 'in a day'],
  ['7', 'in 7 days'],
  ['30', 'in 30 days'],
  ['90', 'in 90 days'],
  ['365', 'in a year'],
  ['', 'never'],
] as const

const dayMs = 86_400_000

/** What `POST /keys` takes. `nowMs` is since 1970. What is empty is left out; the gateway says what is wrong. */
export function keyOf(draft: Draft, nowMs: number): object {
  const { name, scopes, topics, source, events_per_second, bytes_per_second, ends } = draft
  return {
    name,
    scopes,
    topics: topics.split(/[\s,]+/).filter(Boolean),
    ...(source !== '' && { source }),
    ...(events_per_second !== '' && { events_per_second: Number(events_per_second) }),
    ...(bytes_per_second !== '' && { bytes_per_second: Number(bytes_per_second) }),
    ...(ends !== '' && { expires_at: new Date(nowMs + Number(ends) * dayMs).toISOString() }),
  }
}
