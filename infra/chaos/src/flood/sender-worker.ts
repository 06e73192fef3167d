/**
 * Publishes streams at a steady rate, whatever is answered: a process of its own, so that what one sender needs is not
 * counted as another's latency. A batch's latency begins when it is due: who is kept waiting must not thereby ask less.
 *
 * The first message is its `SenderOptions`; any other ends it, and it answers with a list of `Sent`.
 */
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { setPriority } from 'node:os'
import process from 'node:process'
import { pause } from '../clock.ts'
import { batchEvents, eventId, type SenderOptions, type Sent, type Stream } from './streams.ts'

const giveUpMs = 10_000
/** Who sends as much as it is answered comes back so soon. */
const refusedMs = 20
const stopping = new AbortController()

process.once('disconnect', () => process.exit(0))
const [options] = (await once(process, 'message')) as [SenderOptions]
process.once('message', () => stopping.abort())
const { run, localAddress } = options
const url = new URL(options.url)
const { SEKALI_TOKEN: key } = process.env
const headers = {
  'content-type': 'application/json',
  ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
}
setPriority(options.priority)
process.send?.(await Promise.all(options.streams.map(publish)), () => process.exit(0))

/** Publishes until it is stopped, and resolves once all that it has begun has ended. */
async function publish({ topic, eventsPerSecond, connections }: Stream): Promise<Sent> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const all = { batches: 0, uncertain: 0, taken: [] as number[], takenMs: [] as number[] }
  const refused: Record<string, number> = {}
  const everyMs = eventsPerSecond === undefined ? 0 : (batchEvents / eventsPerSecond) * 1_000
  let next = 0
  let dueAt = performance.now()
  const lane = async () => {
    while (!stopping.signal.aborted) {
      dueAt = Math.max(dueAt, performance.now() - (options.arrearsMsMax ?? Number.POSITIVE_INFINITY))
      const since = everyMs === 0 ? performance.now() : dueAt
      dueAt += everyMs
      await pause(since - performance.now(), stopping.signal)
      if (stopping.signal.aborted) return
      const batch = next++
      const status = await send(agent, topic, batch)
      all.batches++
      if (status === 200) {
        all.taken.push(batch)
        all.takenMs.push(performance.now() - since)
      } else if (status === undefined) all.uncertain++
      else {
        refused[status] = (refused[status] ?? 0) + 1
        if (everyMs === 0) await pause(refusedMs, stopping.signal)
      }
    }
  }
  await Promise.all(Array.from({ length: connections }, lane))
  agent.destroy()
  return { topic, ...all, refused }
}

/** The status of the answer; undefined without one. */
async function send(agent: Agent, topic: string, batch: number): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  const where = { host: url.hostname, port: url.port, path: '/publish', method: 'POST', localAddress }
  const signal = AbortSignal.timeout(giveUpMs)
  const outgoing = request({ ...where, agent, headers, signal }, (answer) => {
    answer.once('error', () => resolve(undefined)).once('end', () => resolve(answer.statusCode))
    answer.resume()
  })
  outgoing.once('error', () => resolve(undefined)).end(batchOf(topic, batch))
  return await promise
}

function batchOf(topic: string, batch: number): string {
  const events = Array.from(
    { length: batchEvents },
    (_, index) =>
      `{"topic":"${topic}","event_id":"${eventId(run, batch, index)}","timestamp":"2026-01-01T00:00:00Z","source":"${run}","payload":{"n":${index}}}`,
  )
  return `[${events.join(',')}]`
}
