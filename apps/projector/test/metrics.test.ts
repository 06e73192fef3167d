import { freePort } from '@sekali/servers/free-port'
import { eventually } from '@sekali/testkit/eventually'
import { scrape } from '@sekali/testkit/scrape'
import { expect, test } from 'vitest'
import { counting, numbered, ownStack } from './stack.ts'

test('a projector tells Prometheus of its turns and of how much they folded', async () => {
  await using stack = await ownStack()
  await stack.define('counts.ts', counting('counts', '(state) => state + 1'))
  await stack.append(numbered('orders.eu', 40))
  const port = String(await freePort())
  await using _projector = stack.projector('one', { METRICS_PORT: port })
  await stack.level('counts')
  await eventually(async () => {
    const found = await scrape(port)
    expect(found.get('sekali_projection_turn_events_sum')).toBe(40)
    expect(found.get('sekali_projection_turn_duration_seconds_count')).toBeGreaterThan(0)
    expect(found.get('sekali_projection_turn_failures_total{cause="other"}')).toBe(0)
    expect(found.get('sekali_postgres_pool_waiting')).toBe(0)
  })
})
