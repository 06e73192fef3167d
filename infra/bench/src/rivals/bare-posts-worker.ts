/** The ceiling of deliveries: a loop that posts bodies which it has, signs nothing and writes nothing down. */

import { openPool } from '../load/pool.ts'
import { serve } from '../load/worker.ts'
import { nowMs } from '../measure/clock.ts'
import type { PostsRun } from './bare-posts.ts'

serve<PostsRun>(async ({ url, posts, connections, body }) => {
  await using pool = openPool(url, connections)
  let begun = 0
  const startedAt = nowMs()
  async function postAll(): Promise<void> {
    while (begun < posts) {
      begun += 1
      const headers = { 'content-type': 'application/json' }
      const answer = await pool.request({ path: '/', method: 'POST', headers, body })
      await answer.body.dump()
    }
  }
  await Promise.all(Array.from({ length: connections }, postAll))
  return (nowMs() - startedAt) / 1_000
})
