/**
 * The commit step on a log of five million events against the same on one of a hundred thousand: nothing may grow
 * with the log. Event ids are random, so every event's look-up and every insert goes somewhere else in the index of
 * ids.
 *
 * A checkpoint comes before each measurement, as everywhere. It weighs more on the large log: the first change of a
 * page after a checkpoint writes the whole page to the WAL, and the first 50,000 rows touch 35,000 pages there, 3,000
 * here. Hence half a million rows a round; with `max_wal_size` at 2 GB a busy server has about a million between two
 * checkpoints. The small log is made anew for each round, or it would not be small for long.
 */
import { reportTopics } from '../events.ts'
import type { Row, Side } from '../row.ts'
import { measureCommit, openStore } from '../sides/commit.ts'
import { batchesOf } from '../stored-batches.ts'

const events = 500_000
const warmUpEvents = 10_000

const commitOn = (name: string, stored: number, isKept: boolean): Side => ({
  name,
  open: async (bench) => {
    const log = { topics: reportTopics, events: bench.scaled(stored) }
    const openWarm = async () => {
      const store = openStore(await (isKept ? bench.filled(log) : bench.fresh(log)))
      await measureCommit(bench, store, batchesOf(0, warmUpEvents))
      return store
    }
    let store = await openWarm()
    return {
      measure: async (round) => {
        if (!isKept && round > 1) {
          await store[Symbol.asyncDispose]()
          store = await openWarm()
        }
        const batches = batchesOf(round, bench.scaled(events))
        await bench.checkpoint()
        return await measureCommit(bench, store, batches)
      },
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    }
  },
})

export const growthRow: Row = {
  name: 'growth',
  what: 'rows through the commit step, 5 million stored',
  against: '0.1 million stored',
  unit: 'rows/s',
  ours: commitOn('at 5 million', 5_000_000, true),
  rival: commitOn('at 0.1 million', 100_000, false),
  target: { of: 'ratio', better: 'higher', must: 0.8, aim: 0.95 },
  rounds: 2,
  data: 'five million events',
}
