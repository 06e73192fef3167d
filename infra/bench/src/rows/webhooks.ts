/**
 * Webhooks: what a dispatcher delivers to a receiver on the same cores, against a bare loop that posts as many bodies of the same
 * length to the same receiver; and how late and how costly a delivery is where there is little to do.
 */
import { reportTopics } from '../events.ts'
import { barePosts } from '../rivals/bare-posts.ts'
import type { Row } from '../row.ts'
import { webhookLatency } from '../sides/webhook-latency.ts'
import { deliveries } from '../sides/webhooks.ts'

const events = 20_000
const connections = 50
const calm = { rate: 40, seconds: 20 }
const quiet = webhookLatency({ ...calm, of: 'p99' })

export const webhookRows: readonly Row[] = [
  {
    name: 'webhooks',
    what: 'deliveries, 50 at once, receiver on the same cores',
    against: 'a bare undici loop that posts such bodies',
    unit: 'deliveries/s',
    ours: deliveries({ log: { topics: reportTopics, events, sources: 50 }, concurrency: connections }),
    rival: barePosts({ posts: events, connections }),
    target: { of: 'ratio', better: 'higher', must: 0.4, aim: 0.7 },
    rounds: 3,
  },
  {
    name: 'webhook-latency',
    what: 'stored until received, p99 at 40 events/s',
    against: 'nothing',
    unit: 'ms',
    ours: quiet,
    target: { of: 'value', better: 'lower', must: 100, aim: 40 },
    rounds: 3,
  },
  {
    name: 'webhook-beside',
    what: 'stored until received, p99, while another endpoint hangs',
    against: 'without it',
    unit: 'ms',
    ours: webhookLatency({ ...calm, beside: 'an endpoint that hangs', of: 'p99' }),
    rival: quiet,
    target: { of: 'ratio', better: 'lower', must: 1.2, aim: 1.05 },
    rounds: 3,
  },
  {
    name: 'webhook-rows',
    what: 'rows written for a delivery, at 40 events/s',
    against: 'nothing',
    unit: 'rows',
    ours: webhookLatency({ ...calm, of: 'rows' }),
    target: { of: 'value', better: 'lower', must: 3, aim: 2 },
    rounds: 1,
  },
]
