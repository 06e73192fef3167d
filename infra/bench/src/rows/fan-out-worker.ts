/** Publishes and is, at the same time, all the clients that tail what is published. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { eventsOf, toJson } from '../events.ts'
import { openPool } from '../load/pool.ts'
import { publish } from '../load/publish.ts'
import { serve } from '../load/worker.ts'
import { nowMs } from '../measure/clock.ts'
import type { FanOutResult, FanOutRun } from './fan-out.ts'

const burstBatch = 100

serve<FanOutRun>(async (run) => {
  const events = run.steadyEvents + run.burstEvents
  const bodies = [...eventsOf({ seed: run.seed, events, duplicates: 0, topics: [run.topic] })].map(toJson)
  await using pool = openPool(run.url, 8)
  await using tails = await openTails(run)
  const startedAt = nowMs()
  for (let index = 0; index < run.steadyEvents; index++) {
    const early = startedAt + (index * 1_000) / run.rate - nowMs()
    if (early > 0) await pause(early)
    await publish(pool, Buffer.from(bodies[index] ?? ''))
  }
  await tails.have(run.steadyEvents)
  const latencies = tails.latencies()

  const burstAt = nowMs()
  for (let index = run.steadyEvents; index < events; index += burstBatch) {
    await publish(pool, Buffer.from(`[${bodies.slice(index, index + burstBatch).join(',')}]`))
  }
  await tails.have(events)
  return { latencies, burstSeconds: (nowMs() - burstAt) / 1_000 } satisfies FanOutResult
})

const eventEnd = Buffer.from('"}\n\n')
const storedAt = '"stored_at":"'

/** Connections that count the events they get, and remember how old each one was when it came. */
async function openTails({ url, topic, readers }: FanOutRun) {
  const { hostname, port } = new URL(url)
  const counts = new Array<number>(readers).fill(0)
  const ages: number[] = []
  let isTimed = true
  const sockets = await Promise.all(
    counts.map(async (_, reader) => {
      const socket = connect(Number(port), hostname)
      socket.write(`GET /tail?topic=${topic} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`)
      await once(socket, 'data') // the place where it begins
      let rest = Buffer.alloc(0)
      socket.on('data', (chunk: Buffer) => {
        const seenAt = Date.now() // the clock of stored_at
        const bytes = Buffer.concat([rest, chunk])
        let from = 0
        for (let at = bytes.indexOf(eventEnd); at !== -1; at = bytes.indexOf(eventEnd, from)) {
          counts[reader] = (counts[reader] ?? 0) + 1
          from = at + eventEnd.length
          if (isTimed) ages.push(seenAt - storedAtOf(bytes.toString('latin1', Math.max(0, at - 48), at)))
        }
        // An event's end may come in two pieces.
        rest = bytes.subarray(Math.max(from, bytes.length - 64))
      })
      return socket
    }),
  )
  return {
    latencies: () => {
      isTimed = false
      return ages
    },
    async have(events: number): Promise<void> {
      while (counts.some((count) => count < events)) await pause(5)
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** In milliseconds of the system's clock, from the last characters of an event. */
function storedAtOf(end: string): number {
  const time = end.slice(end.indexOf(storedAt) + storedAt.length)
  return Date.parse(`${time.slice(0, 23)}Z`) + Number(time.slice(23, 26)) / 1_000
}
