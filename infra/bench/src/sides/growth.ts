import type { Store } from '@sekali/store/connect'
import pg from 'pg'
import { type IdKind, reportTopics } from '../events.ts'
import type { Measure, Side } from '../row.ts'
import type { Bench } from '../system/bench.ts'
import { batchesOf } from '../system/stored-batches.ts'
import { measureCommit, openStore } from './commit.ts'

/** Rows of a round, see rows/growth.ts. */
const events = 500_000
// Not scaled: a session looks up what ten batches of a topic bring before it takes the next for new.
export const warmUpEvents = 60_000

const walName = 'WAL bytes an event'

export const logOf = (bench: Bench, stored: number, ids: IdKind, older = false) => ({
  topics: reportTopics,
  events: bench.scaled(stored),
  ids,
  ...(older && { older }),
})

/** A round right after a checkpoint, with the WAL that it has written. */
export async function measureRound(
  bench: Bench,
  round: number,
  ids: IdKind,
  url: string,
  commit: (batches: ReturnType<typeof batchesOf>, begin: () => Promise<void>) => Promise<Measure>,
): Promise<Measure> {
  const batches = batchesOf(round, bench.scaled(events), ids)
  await using wal = await openWal(url)
  let from = 0
  const measure = await commit(batches, async () => {
    await bench.checkpoint()
    from = await wal.at()
  })
  const rows = batches.reduce((sum, { received }) => sum + received.length, 0)
  return { ...measure, also: { [walName]: ((await wal.at()) - from) / rows } }
}

async function openWal(url: string) {
  const client = new pg.Client(url)
  await client.connect()
  return {
    at: async () => {
      const { rows } = await client.query(`SELECT pg_current_wal_insert_lsn() - '0/0' AS at`)
      return Number(rows[0].at)
    },
    [Symbol.asyncDispose]: () => client.end(),
  }
}

async function openWarm(bench: Bench, url: string, ids: IdKind): Promise<Store> {
  const store = openStore(url)
  await measureCommit(bench, store, batchesOf(0, warmUpEvents, ids))
  return store
}

/** The commit step on a log of so many events. All rounds go on with one log. */
export const onLog = (stored: number, ids: IdKind): Side => ({
  name: `at ${stored / 1_000_000} million`,
  open: async (bench) => {
    const url = await bench.filled(logOf(bench, stored, ids))
    const store = await openWarm(bench, url, ids)
    return {
      measure: (round) =>
        measureRound(bench, round, ids, url, (batches, begin) => measureCommit(bench, store, batches, begin)),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    }
  },
})

/**
 * The same on one that is made anew for each round, or it would not be small for long, and dropped after it, or autovacuum
 * would go on with it.
 */
export const onNewLog = (stored: number, ids: IdKind): Side => ({
  name: `at ${stored / 1_000_000} million`,
  open: async (bench) => ({
    measure: async (round) => {
      await using log = await bench.fresh(logOf(bench, stored, ids))
      await using store = await openWarm(bench, log.url, ids)
      return await measureRound(bench, round, ids, log.url, (batches, begin) =>
        measureCommit(bench, store, batches, begin),
      )
    },
    [Symbol.asyncDispose]: async () => {},
  }),
})
