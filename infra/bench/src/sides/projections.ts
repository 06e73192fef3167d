import { fileURLToPath } from 'node:url'
import { programs } from '@sekali/local/repository'
import { connectStore, type Store } from '@sekali/store/connect'
import { readProjections } from '@sekali/store/read-projections'
import { requestRebuild } from '@sekali/store/request-rebuild'
import { reportTopics } from '../events.ts'
import { startMeter } from '../measure/processor-time.ts'
import { until } from '../measure/until.ts'
import type { Side } from '../row.ts'
import { startWorking } from '../system/program.ts'

const folder = fileURLToPath(new URL('../../projections', import.meta.url))
const name = 'totals'

/**
 * Events per second that one projector folds of a backlog: a rebuild from the first event on. The clock runs from the
 * first turn that is seen, because a projector hears of a rebuild within a second, and not at once.
 */
export const folding = (options: { readonly events: number }): Side => ({
  name: 'projector',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const events = bench.scaled(options.events)
    const url = await bench.filled({ topics: reportTopics, events })
    const store = parts.use(connectStore({ url, poolMax: 1, name: 'bench' }, { warn: () => {} }))
    const projector = await startWorking(bench, 'projector', programs.projector, {
      DATABASE_URL: url,
      REDIS_URL: bench.redis.url,
      REDIS_PREFIX: 'projector',
      PROJECTIONS_DIR: folder,
      PROJECTIONS_BUILT_IN: 'off',
    })
    parts.defer(projector.stop)
    // The first fold is the warm-up.
    await until('the projection is live', bench.signal, async () => {
      const [one] = await readProjections(store, name)
      return one?.status === 'live' && one.lag === 0
    })
    const opened = parts.move()
    return {
      measure: async () => {
        await bench.checkpoint()
        await requestRebuild(store, name, { actor: 'bench' })
        let first = 0
        await until('the rebuild begins', bench.signal, async () => {
          first = await foldedOf(store)
          return first > 0
        })
        // With the process that its definitions have.
        const stop = startMeter({ projector: { family: projector.pid }, ...bench.servers })
        const startedAt = performance.now()
        await until(
          'the rebuild has taken its place',
          bench.signal,
          async () => (await foldedOf(store)) === 0,
        )
        const seconds = (performance.now() - startedAt) / 1_000
        return { ...stop(), seconds, value: (events - first) / seconds }
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
})

/** How many events are folded into what is being built; 0 when nothing is. */
async function foldedOf({ pool }: Store): Promise<number> {
  const { rows } = await pool.query<{ folded: string }>(
    `SELECT coalesce(sum(c.seq), 0) AS folded FROM projections.generations g
    JOIN projections.checkpoints c ON c.generation_id = g.id WHERE g.name = $1 AND g.stage = 'building'`,
    [name],
  )
  return Number(rows[0]?.folded)
}
