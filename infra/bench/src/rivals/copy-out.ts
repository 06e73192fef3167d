import { performance } from 'node:perf_hooks'
import pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { startMeter } from '../measure/processor-time.ts'
import type { Side } from '../row.ts'

const statement = `COPY (
  SELECT t.name, e.event_id, e."timestamp", e.source, e.payload, e.seq, e.received_at, e.stored_at
  FROM events e JOIN topics t ON t.id = e.topic_id ORDER BY e.topic_id, e.seq
) TO STDOUT`

/** The ceiling of reading: all of a topic in one COPY, in order, on one connection, without HTTP and JSON. */
export const copyOut = (options: { readonly topic: string; readonly events: number }): Side => ({
  name: 'COPY TO STDOUT',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const events = bench.scaled(options.events)
    const url = await bench.filled({ topics: [options.topic], events })
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    parts.defer(() => client.end())
    const measure = async () => {
      await bench.checkpoint()
      const stop = startMeter(bench.servers)
      const startedAt = performance.now()
      const copy = client.query(copyTo(statement))
      for await (const _chunk of copy) {
        // only counted: what one does with them is not the server's
      }
      const seconds = (performance.now() - startedAt) / 1_000
      if (copy.rowCount !== events) throw new Error(`COPY gave ${copy.rowCount} rows of ${events}`)
      return { ...stop(), seconds, value: events / seconds }
    }
    await measure() // the warm-up
    const opened = parts.move()
    return {
      measure,
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
})
