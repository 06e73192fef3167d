import { setTimeout as pause } from 'node:timers/promises'
import type { Pool } from 'undici'

/** Publishes until the answer is yes. Returns how often it was "not now". Throws when it is no. */
export async function publish(
  pool: Pool,
  body: Buffer,
  more: Readonly<Record<string, string>> = {},
): Promise<number> {
  for (let refusals = 0; ; refusals += 1) {
    const answer = await pool.request({
      path: '/publish',
      method: 'POST',
      headers: { 'content-type': 'application/json', ...more },
      body,
    })
    if (answer.statusCode === 200) {
      await answer.body.dump()
      return refusals
    }
    const text = await answer.body.text()
    if (answer.statusCode !== 503 && answer.statusCode !== 429) {
      throw new Error(`POST /publish answered ${answer.statusCode}: ${text.slice(0, 300)}`)
    }
    await pause(1_000 * Number(answer.headers['retry-after'] ?? 1))
  }
}
