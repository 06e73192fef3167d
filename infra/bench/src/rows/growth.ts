/**
 * The commit step on a log of five million events against the same on one of a hundred thousand: nothing may grow
 * with the log. Event ids are random, so every event's look-up and every insert goes somewhere else in the index of
 * ids.
 *
 * A checkpoint comes before each measurement, as everywhere. It weighs more on the large log: the first
 * change of a page after a checkpoint writes the whole page to the WAL, and the first 50,000 rows touch
 * 35,000 pages there, 3,000 here. Hence half a million rows a round; with `max_wal_size` at 2 GB a busy
 * server has about a million between two checkpoints. The small log is made anew for each round, or it would
 * not be small for long, and dropped after it, or autovacuum would go on with it.
 */
import type { Store } from '@sekali/store/connect'
import { reportTopics } from '../events.ts'
import type { Measure, Row, Side } from '../row.ts'
import { measureCommit, openStore } from '../sides/commit.ts'
import type { Bench } from '../system/bench.ts'
import { batchesOf } from '../system/stored-batches.ts'

const events = 500_000
// Not scaled: a session looks up what ten batches of a topic bring before it takes the next for new.
const warmUpEvents = 60_000

const logOf = (bench: Bench, stored: number) => ({ topics: reportTopics, events: bench.scaled(stored) })

async function openWarm(bench: Bench, url: string): Promise<Store> {
  const store = openStore(url)
  await measureCommit(bench, store, batchesOf(0, warmUpEvents))
  return store
}

async function measureRound(bench: Bench, store: Store, round: number): Promise<Measure> {
  const batches = batchesOf(round, bench.scaled(events))
  await bench.checkpoint()
  return await measureCommit(bench, store, batches)
}

const onLarge: Side = {
  name: 'at 5 million',
  open: async (bench) => {
    const store = await openWarm(bench, await bench.filled(logOf(bench, 5_000_000)))
    return {
      measure: (round) => measureRound(bench, store, round),
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    }
  },
}

const onSmall: Side = {
  name: 'at 0.1 million',
  open: async (bench) => ({
    measure: async (round) => {
      await using log = await bench.fresh(logOf(bench, 100_000))
      await using store = await openWarm(bench, log.url)
      return await measureRound(bench, store, round)
    },
    [Symbol.asyncDispose]: async () => {},
  }),
}

export const growthRow: Row = {
  name: 'growth',
  what: 'rows through the commit step, 5 million stored',
  against: '0.1 million stored',
  unit: 'rows/s',
  ours: onLarge,
  rival: onSmall,
  target: { of: 'ratio', better: 'higher', must: 0.8, aim: 0.95 },
  rounds: 2,
  data: 'five million events',
}
