/** Publishes at a steady rate and is, at the same time, the workers that wait for what is published. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Pool } from 'undici'
import { eventsOf, toJson } from '../events.ts'
import { openPool } from '../load/pool.ts'
import { publish } from '../load/publish.ts'
import { serve } from '../load/worker.ts'
import { nowMs } from '../measure/clock.ts'
import type { WaitingRun } from './work-latency.ts'

serve<WaitingRun>(async (run) => {
  const bodies = [
    ...eventsOf({ seed: run.seed, events: run.events, duplicates: 0, topics: [run.topic] }),
  ].map(toJson)
  await using pool = openPool(run.url, 8 + run.workers)
  const latencies: number[] = []
  const isOver = () => latencies.length >= run.events
  const working = Array.from({ length: run.workers }, () => work(pool, run, latencies, isOver))
  const startedAt = nowMs()
  for (const [index, body] of bodies.entries()) {
    const early = startedAt + (index * 1_000) / run.rate - nowMs()
    if (early > 0) await pause(early)
    await publish(pool, Buffer.from(body))
  }
  await Promise.all(working)
  return { latencies }
})

interface Pulled {
  readonly token: string
  readonly items: readonly { readonly event: { readonly stored_at: string } }[]
}

async function work(pool: Pool, run: WaitingRun, latencies: number[], isOver: () => boolean): Promise<void> {
  const path = `/subscriptions/${run.subscription}`
  while (!isOver()) {
    const pulled = await post(pool, `${path}/pull`, { max: 100, wait_s: 1 })
    const seenAt = Date.now() // the clock of stored_at
    if (pulled === undefined) continue
    const { token, items } = JSON.parse(pulled) as Pulled
    for (const { event } of items) latencies.push(seenAt - timeOf(event.stored_at))
    await post(pool, `${path}/settle`, { items: [{ token, do: 'ack' }] })
  }
}

/** Undefined when there is nothing. Throws unless it is answered with a yes. */
async function post(pool: Pool, path: string, body: object): Promise<string | undefined> {
  const headers = { 'content-type': 'application/json' }
  const answer = await pool.request({ path, method: 'POST', headers, body: JSON.stringify(body) })
  const text = await answer.body.text()
  if (answer.statusCode === 204) return undefined
  if (answer.statusCode !== 200)
    throw new Error(`${path} answered ${answer.statusCode}: ${text.slice(0, 300)}`)
  return text
}

/** In milliseconds of the system's clock. */
const timeOf = (time: string): number =>
  Date.parse(`${time.slice(0, 23)}Z`) + Number(time.slice(23, 26)) / 1_000
