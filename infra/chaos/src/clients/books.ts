// What the workload knows by itself, from the answers alone. Nothing in here was read from the system under test.
import { type Fact, idOf } from './content.ts'
import type { Receipt } from './receipt.ts'

/** How requests ended: answered with 200, surely not carried out, or nobody knows. */
export interface Tally {
  ok: number
  failed: number
  indeterminate: number
}

export interface BookedEvent {
  readonly fact: Fact
  /** Requests that carried the event itself. */
  readonly original: Tally
  /** Requests that carried its id with another payload. */
  readonly conflicting: Tally
  /** Variants that were sent under this id. */
  readonly variants: Set<number>
  /** What came of those requests that waited for it. */
  readonly receipts: Receipt[]
  /** The first request that was answered with yes, and the last. */
  firstOk: Span | undefined
  lastOk: Span | undefined
  /** From when the first of those that were answered with yes was sent until the last was answered. */
  allOk: Span | undefined
}

/** From when a request was sent until it was answered, by this process's wall clock, in milliseconds. */
export interface Span {
  readonly sentAt: number
  readonly at: number
}

export interface Books {
  readonly topics: ReadonlyMap<string, ReadonlyMap<string, BookedEvent>>
  readonly total: Tally
  /** How many poisonous bodies were refused as they must be. */
  readonly poison: { refused: number }
  /** How many events were ever answered with yes, and how long none was, at the longest. */
  readonly pace: { acknowledged: number; silentMs: number }
  /** Answers that no request of ours deserves, in words; the first few. */
  readonly surprises: string[]
}

export type Outcome = keyof Tally

export interface OpenBooks extends Books {
  note(fact: Fact, variant: number, outcome: Outcome, sentAt: number): void
  noteReceipt(fact: Fact, receipt: Receipt): void
  notePoison(status: number, body: string): void
  surprise(text: string): void
}

const surprisesMax = 20

export function openBooks(topics: readonly string[], now: () => number = Date.now): OpenBooks {
  const byTopic = new Map(topics.map((topic) => [topic, new Map<string, BookedEvent>()]))
  const total = emptyTally()
  const poison = { refused: 0 }
  const pace = { acknowledged: 0, silentMs: 0 }
  let lastAt: number | undefined
  const surprises: string[] = []
  const surprise = (text: string) => {
    if (surprises.length < surprisesMax) surprises.push(text)
  }
  return {
    topics: byTopic,
    total,
    poison,
    pace,
    surprises,
    surprise,
    note: (fact, variant, outcome, sentAt) => {
      const event = entryOf(byTopic, fact)
      event.variants.add(variant)
      total[outcome]++
      if (variant === 0) event.original[outcome]++
      else event.conflicting[outcome]++
      if (outcome !== 'ok') return
      const at = now()
      pace.silentMs = Math.max(pace.silentMs, at - (lastAt ?? at))
      lastAt = at
      if (event.firstOk === undefined) pace.acknowledged++
      event.lastOk = { sentAt, at }
      event.firstOk ??= event.lastOk
      event.allOk = { sentAt: Math.min(sentAt, event.allOk?.sentAt ?? sentAt), at: event.lastOk.at }
    },
    noteReceipt: (fact, receipt) => {
      entryOf(byTopic, fact).receipts.push(receipt)
    },
    notePoison: (status, body) => {
      if (status === 422) poison.refused++
      else surprise(`a body that must be refused with 422 was answered ${status}: ${body.slice(0, 120)}`)
    },
  }
}

function entryOf(byTopic: Map<string, Map<string, BookedEvent>>, fact: Fact): BookedEvent {
  const events = byTopic.get(fact.topic)
  if (events === undefined) throw new Error(`nobody announced the topic ${fact.topic}`)
  const id = idOf(fact)
  let event = events.get(id)
  if (event === undefined) {
    event = {
      fact,
      original: emptyTally(),
      conflicting: emptyTally(),
      variants: new Set(),
      receipts: [],
      firstOk: undefined,
      lastOk: undefined,
      allOk: undefined,
    }
    events.set(id, event)
  }
  return event
}

export const emptyTally = (): Tally => ({ ok: 0, failed: 0, indeterminate: 0 })

export const difference = (after: Tally, before: Tally): Tally => ({
  ok: after.ok - before.ok,
  failed: after.failed - before.failed,
  indeterminate: after.indeterminate - before.indeterminate,
})
