/** The load generator's process: makes request bodies, and when told to, sends them as fast as they are answered. */
import { Pool } from 'undici'
import { eventsOf, toJson, type Workload } from '../events.ts'
import { nowMs } from '../measure/clock.ts'
import type { Go, LoadTarget, Prepare, Sent } from './load.ts'
import { publish } from './publish.ts'
import { serve } from './worker.ts'

interface Body {
  readonly body: Buffer
  readonly events: number
}

let pool: Pool | undefined
let target: LoadTarget | undefined
let bodies: Body[] = []

serve<Prepare | Go>((request) => ('workload' in request ? prepare(request) : go(request)))

async function prepare(request: Prepare): Promise<void> {
  bodies = bodiesOf(request.workload, request.target.batch)
  if (target?.url !== request.target.url || target.connections !== request.target.connections) {
    await pool?.destroy()
    pool = new Pool(request.target.url, { connections: request.target.connections })
  }
  target = request.target
}

function bodiesOf(workload: Workload, batch: number): Body[] {
  const texts = Array.from(eventsOf(workload), toJson)
  if (batch === 1) return texts.map((text) => ({ body: Buffer.from(text), events: 1 }))
  return Array.from({ length: Math.ceil(texts.length / batch) }, (_, index) => {
    const some = texts.slice(index * batch, (index + 1) * batch)
    return { body: Buffer.from(`[${some.join(',')}]`), events: some.length }
  })
}

async function go({ forMs }: Go): Promise<Sent> {
  if (pool === undefined || target === undefined) throw new Error('nothing is prepared')
  const sending = pool
  const { key } = target
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
  const sent = { requests: 0, events: 0, refusals: 0 }
  const startedAt = nowMs()
  const isOver = () =>
    forMs === undefined ? sent.requests + underWay >= bodies.length : nowMs() - startedAt >= forMs
  let underWay = 0
  const runConnection = async () => {
    while (!isOver()) {
      const { body, events } = bodies[(sent.requests + underWay) % bodies.length] as Body
      underWay += 1
      sent.refusals += await publish(sending, body, headers)
      underWay -= 1
      sent.requests += 1
      sent.events += events
    }
  }
  await Promise.all(Array.from({ length: target.connections }, runConnection))
  return { startedAt, endedAt: nowMs(), ...sent }
}
