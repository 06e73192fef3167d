import type { StoredEvent } from '@sekali/core/event'
import type { Store } from './connect.ts'
import { readEvents } from './read.ts'
import { readEnds, type Search, searchEvents } from './search.ts'

export interface Replay extends Omit<Search, 'limit'> {
  /** Events at most; all of them unless given. */
  readonly limit?: number
}

/** Events of a page; its bytes are bounded as well. */
const pageEvents = 1_000

/**
 * The events of a search, page after page, up to where its topics are at this moment. A page is read when it is asked
 * for, and may be empty. Rejects, as the iteration does, with `TooManyTopics` or `StoreUnavailable`.
 */
export async function openReplay(store: Store, replay: Replay): Promise<AsyncGenerator<StoredEvent[]>> {
  const ends = await readEnds(store, replay.topics, replay.before)
  return isPlain(replay)
    ? readPlain(store, replay, ends.values().next().value ?? 1)
    : readFound(store, { ...replay, before: ends })
}

const isPlain = ({ topics, source, from, to }: Replay): boolean =>
  !topics.isPattern && source === undefined && from === undefined && to === undefined

/** What is one topic and all of its events needs no search. */
async function* readPlain(store: Store, { topics, order, after, limit = Infinity }: Replay, end: number) {
  let [low, high, left] = [(after as number | undefined) ?? 0, end, limit]
  for (let more = left > 0; more; ) {
    const page = await readEvents(store, {
      topic: topics.text,
      order,
      after: low,
      before: high,
      limit: Math.min(left, pageEvents),
    })
    const last = page.events.at(-1)
    if (last === undefined) return
    yield page.events
    left -= page.events.length
    if (order === 'asc') low = last.seq
    else high = last.seq
    more = page.more && left > 0
  }
}

async function* readFound(store: Store, { limit = Infinity, ...search }: Replay) {
  let { after, before } = search
  for (let left = limit; left > 0; ) {
    const { events, next } = await searchEvents(store, {
      ...search,
      ...(after === undefined ? {} : { after }),
      ...(before === undefined ? {} : { before }),
      limit: Math.min(left, pageEvents),
    })
    yield events
    left -= events.length
    if (next === undefined) return
    if (search.order === 'asc') after = next
    else before = next
  }
}
