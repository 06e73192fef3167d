/**
 * For how long a gateway does nothing else at most while its metrics are read and there are 5,000 topics. All of them have
 * an event in flight, as no consumer runs: so the age of each has to be found, too. It is processor time, so that others
 * on the machine do not count; by the clock the event loop was late by what the JSON file has.
 */
import { fileURLToPath, pathToFileURL } from 'node:url'
import { freePort } from '@sekali/servers/free-port'
import { startMeter } from '../measure/processor-time.ts'
import type { Row, Side } from '../row.ts'
import { startSystem } from '../system/system.ts'

const topics = 5_000
const batchEvents = 1_000
const scrapes = 20
const warmUpScrapes = 10
const program = fileURLToPath(new URL('../system/loop-delay-worker.ts', import.meta.url))

/** As if consumers had been there before. */
const rows = `INSERT INTO topics (name, head)
  SELECT 'scraped.t' || n, (random() * 1000)::int FROM generate_series(0, $1::int) n`

const scraped: Side = {
  name: 'sekali',
  open: async (bench) => {
    await using parts = new AsyncDisposableStack()
    const port = await freePort()
    const system = parts.use(
      await startSystem(bench, {
        consumers: 0,
        gatewayFlags: ['--import', pathToFileURL(program).href],
        env: {
          BENCH_LOOP_PORT: String(port),
          TOPICS_MAX: String(topics),
          NEW_TOPICS_BURST: String(topics),
          NEW_TOPICS_PER_SECOND: String(topics),
        },
      }),
    )
    await publishToEach(system.url)
    await system.store.pool.query(rows, [topics - 1])
    const scrape = async () => {
      const answer = await fetch(system.metricsUrls()[0] ?? '')
      if (!(await answer.text()).includes(`\nsekali_topics ${topics}\n`))
        throw new Error('topics are missing')
    }
    const heldUp = async () =>
      (await (await fetch(`http://127.0.0.1:${port}`)).json()) as { busyMs: number; lateMs: number }
    // A process that has just begun compiles what it does.
    for (let n = 0; n < warmUpScrapes; n++) await scrape()
    const opened = parts.move()
    return {
      measure: async () => {
        await heldUp()
        const stop = startMeter(system.processes)
        for (let n = 0; n < bench.scaled(scrapes); n++) await scrape()
        const { busyMs, lateMs } = await heldUp()
        return { ...stop(), value: busyMs, also: { 'late ms': lateMs } }
      },
      [Symbol.asyncDispose]: () => opened.disposeAsync(),
    }
  },
}

async function publishToEach(url: string): Promise<void> {
  for (let from = 0; from < topics; from += batchEvents) {
    const events = Array.from({ length: batchEvents }, (_, n) => ({
      topic: `scraped.t${from + n}`,
      event_id: '1',
      timestamp: '2026-01-01T00:00:00Z',
      source: 'bench',
      payload: {},
    }))
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${url}/publish`, { method: 'POST', headers, body: JSON.stringify(events) })
    if (!answer.ok) throw new Error(`POST /publish answered ${answer.status}: ${await answer.text()}`)
  }
}

export const scrapeRow: Row = {
  name: 'scrape',
  what: 'longest work without a pause of a gateway whose metrics are read, 5,000 topics',
  against: 'nothing',
  unit: 'ms',
  ours: scraped,
  target: { of: 'value', better: 'lower', must: 50, aim: 10 },
  rounds: 3,
}
