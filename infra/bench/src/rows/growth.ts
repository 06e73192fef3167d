/**
 * The commit step on a log of five million events. Against the same on one of a hundred thousand, with random ids, where every
 * event's look-up and every insert goes somewhere else in the index: nothing may grow with the log. And against the step of
 * d25da9c, whose index had the ids' texts, with ids that come in order: what small keys gain elsewhere must not be lost there.
 *
 * A checkpoint comes before each measurement, as everywhere. It weighs more on the large log: the first
 * change of a page after a checkpoint writes the whole page to the WAL, and the first 50,000 rows touch
 * most of its pages there, and few here. Hence half a million rows a round; with `max_wal_size` at 2 GB a busy
 * server has about a million between two checkpoints.
 */

import type { IdKind } from '../events.ts'
import { measureOlder, openOlder } from '../rivals/older.ts'
import type { Row, Side } from '../row.ts'
import { logOf, measureRound, onLog, onNewLog, warmUpEvents } from '../sides/growth.ts'
import { batchesOf } from '../system/stored-batches.ts'

const large = 5_000_000
const small = 100_000
const data = 'five million events'
const onLarge = onLog(large, 'random')

const onOlder = (ids: IdKind): Side => ({
  name: 'd25da9c',
  open: async (bench) => {
    const url = await bench.filled(logOf(bench, large, ids, true))
    const older = await openOlder(url)
    await measureOlder(bench, older, batchesOf(0, warmUpEvents, ids))
    return {
      measure: (round) =>
        measureRound(bench, round, ids, url, async (batches, begin) => {
          await begin()
          return await measureOlder(bench, older, batches)
        }),
      [Symbol.asyncDispose]: () => older[Symbol.asyncDispose](),
    }
  },
})

export const growthRow: Row = {
  name: 'growth',
  what: 'rows through the commit step, 5 million stored',
  against: '0.1 million stored',
  unit: 'rows/s',
  ours: onLarge,
  rival: onNewLog(small, 'random'),
  target: { of: 'ratio', better: 'higher', must: 0.9, aim: 0.97 },
  rounds: 2,
  data,
}

/** Measured with growth: the first changes of pages after the checkpoint are most of it. */
export const walRow: Row = {
  name: 'wal',
  what: 'WAL an event through the commit step after a checkpoint, 5 million stored',
  against: 'd25da9c',
  unit: 'rows/s',
  ours: onLarge,
  rival: onOlder('random'),
  target: { of: 'worst part', better: 'lower', must: 0.7, aim: 0.6 },
  rounds: 2,
  data,
}

const inOrder = (name: string, ids: IdKind, what: string): Row => ({
  name,
  what: `rows through the commit step, 5 million stored, ${what}`,
  against: 'd25da9c',
  unit: 'rows/s',
  ours: onLog(large, ids),
  rival: onOlder(ids),
  target: { of: 'ratio', better: 'higher', must: 0.95, aim: 1.05 },
  rounds: 2,
})

export const growthInOrderRows: readonly Row[] = [
  inOrder('growth-v7', 'v7', 'ids UUIDs of version 7'),
  inOrder('growth-sequential', 'sequential', 'ids numbers'),
]

export const growthLargeRow: Row = {
  name: 'growth-large',
  what: 'rows through the commit step, 50 million stored',
  against: '0.1 million stored',
  unit: 'rows/s',
  ours: onLog(50_000_000, 'random'),
  rival: onNewLog(small, 'random'),
  target: { of: 'ratio', better: 'higher', must: 0.4, aim: 0.6 },
  rounds: 2,
  large: true,
}
