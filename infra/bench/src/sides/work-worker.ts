/** One worker of a subscription: pulls and settles batches, one after the other, until there is nothing left. */
import type { Pool } from 'undici'
import { openPool } from '../load/pool.ts'
import { serve } from '../load/worker.ts'
import { nowMs } from '../measure/clock.ts'
import type { Worked, WorkRun } from './work.ts'

let opened: { readonly url: string; readonly pool: Pool } | undefined

serve<WorkRun>(async ({ url, subscription, max }) => {
  if (opened?.url !== url) {
    await opened?.pool.destroy()
    opened = { url, pool: openPool(url, 1) }
  }
  return await work(opened.pool, `/subscriptions/${subscription}`, max)
})

async function work(pool: Pool, path: string, max: number): Promise<Worked> {
  const startedAt = nowMs()
  const worked = { events: 0, batches: 0, endedAt: startedAt }
  for (;;) {
    const pulled = await call<Pulled>(pool, `${path}/pull`, { max, bytes_max: bytesMax, wait_s: 1 })
    if (pulled?.token === undefined) {
      // Others have what is left, or what is before it in its source.
      const found = await call<{ readonly lag: number }>(pool, path)
      if (found?.lag === 0) return { startedAt, ...worked }
      continue
    }
    const items = [{ token: pulled.token, do: 'ack' }]
    const settled = await call<Settled>(pool, `${path}/settle`, { items })
    const [result] = settled?.items ?? []
    if (result?.result !== 'done') throw new Error(`a settle was answered ${result?.result}`)
    worked.events += pulled.items.length
    worked.batches += 1
    worked.endedAt = nowMs()
  }
}

const bytesMax = 8 * 1024 * 1024

interface Pulled {
  /** Of all items; absent when there are none. */
  readonly token?: string
  readonly items: readonly unknown[]
}

interface Settled {
  readonly items: readonly { readonly result: string }[]
}

/** Undefined when there is nothing: 204. Throws unless it is answered with a yes. */
async function call<T>(pool: Pool, path: string, body?: object): Promise<T | undefined> {
  const request = body === undefined ? {} : { body: JSON.stringify(body) }
  const answer = await pool.request({
    path,
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json' },
    ...request,
  })
  const text = await answer.body.text()
  if (answer.statusCode === 204) return undefined
  if (answer.statusCode !== 200)
    throw new Error(`${path} answered ${answer.statusCode}: ${text.slice(0, 300)}`)
  return JSON.parse(text) as T
}
