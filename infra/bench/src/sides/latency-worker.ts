/**
 * Publishes at a steady rate and watches one topic as any reader would, with `GET /events?after=`. An event's latency
 * runs from the moment when its request was due, not when it went out: a system that stalls must not thereby be asked
 * less (https://www.azul.com/files/HowNotToMeasureLatency_LLSummit_NYC_12Nov2013.pdf calls it coordinated omission).
 */
import { setTimeout as pause } from 'node:timers/promises'
import { type BenchEvent, eventsOf, toJson } from '../events.ts'
import { openPool } from '../load/pool.ts'
import { publish } from '../load/publish.ts'
import { serve } from '../load/worker.ts'
import { nowMs } from '../measure/clock.ts'
import type { LatencyRun } from './latency.ts'

/** Between two looks at a topic that had nothing new. */
const pollMs = 5
const pageEvents = 1_000

interface Prepared {
  readonly run: LatencyRun
  readonly events: readonly BenchEvent[]
  readonly bodies: readonly Buffer[]
}

let prepared: Prepared | undefined

serve<LatencyRun | 'go'>(async (request) => {
  if (request !== 'go') prepared = prepare(request)
  else if (prepared !== undefined) return await go(prepared)
  return undefined
})

function prepare(run: LatencyRun): Prepared {
  const events = [...eventsOf(run.workload)]
  const bodies = Array.from({ length: Math.ceil(events.length / run.batch) }, (_, index) => {
    const some = events.slice(index * run.batch, (index + 1) * run.batch)
    return Buffer.from(`[${some.map(toJson).join(',')}]`)
  })
  return { run, events, bodies }
}

async function go({ run, events, bodies }: Prepared): Promise<{ latencies: number[] }> {
  await using pool = openPool(run.url, 64)
  const watched = events.filter(({ topic }) => topic === run.watch).length
  const dueAt = new Map<string, number>()
  const latencies: number[] = []

  const startedAt = nowMs()
  const watching = watch()
  const answers: Promise<number>[] = []
  for (const [index, body] of bodies.entries()) {
    const due = startedAt + (index * run.batch * 1_000) / run.rate
    const early = due - nowMs()
    if (early > 0) await pause(early)
    for (const event of events.slice(index * run.batch, (index + 1) * run.batch)) {
      if (event.topic === run.watch) dueAt.set(event.eventId, due)
    }
    answers.push(publish(pool, body))
  }
  await Promise.all([...answers, watching])
  return { latencies }

  async function watch(): Promise<void> {
    let after = run.after
    while (latencies.length < watched) {
      const path = `/events?topic=${run.watch}&after=${after}&limit=${pageEvents}`
      const { statusCode, body } = await pool.request({ path, method: 'GET' })
      const page = (await body.json()) as { event_id: string; seq: number }[]
      if (statusCode !== 200) throw new Error(`GET /events answered ${statusCode}`)
      const seenAt = nowMs()
      for (const { event_id: id } of page) latencies.push(seenAt - (dueAt.get(id) ?? Number.NaN))
      after = page.at(-1)?.seq ?? after
      if (page.length < pageEvents) await pause(pollMs)
    }
  }
}
