/** Many workers that wait for events, each on a connection of its own. */
import { setTimeout as pause } from 'node:timers/promises'
import { type Dispatcher, Pool } from 'undici'
import { serve } from '../load/worker.ts'
import type { IdleRun } from './work-idle.ts'

const waitSeconds = 30

let failure: Error | undefined

/** Answers once all wait; and whether they still do, when it is asked that. */
serve<IdleRun | 'check'>(async (request) => {
  if (request !== 'check') await begin(request)
  if (failure !== undefined) throw failure
})

/** They begin over the time of one wait, as they would not all have been started at once. */
async function begin({ url, subscription, workers }: IdleRun): Promise<void> {
  const pool = new Pool(url, { connections: workers, headersTimeout: 2 * waitSeconds * 1_000 })
  const request: Dispatcher.RequestOptions = {
    path: `/subscriptions/${subscription}/pull`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ max: 100, wait_s: waitSeconds }),
  }
  for (let worker = 0; worker < workers && failure === undefined; worker += 1) {
    void wait(pool, request).catch((error: Error) => {
      failure ??= error
    })
    await pause((waitSeconds * 1_000) / workers)
  }
}

async function wait(pool: Pool, request: Dispatcher.RequestOptions): Promise<never> {
  for (;;) {
    const { statusCode, body } = await pool.request(request)
    const text = await body.text()
    if (statusCode !== 204) throw new Error(`a pull was answered ${statusCode}: ${text.slice(0, 300)}`)
  }
}
