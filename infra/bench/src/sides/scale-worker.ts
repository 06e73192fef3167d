/** A client that does what clients do, each thing some times at a place by chance, and reports how long it took. */
import { createHash, randomInt, randomUUID } from 'node:crypto'
import type { Dispatcher } from 'undici'
import { openPool } from '../load/pool.ts'
import { serve } from '../load/worker.ts'
import { percentile } from '../measure/statistics.ts'
import { timeOf } from '../system/fill.ts'
import type { ScaleRun } from './scale.ts'

const pageEvents = 100

serve<ScaleRun>(async ({ url, topic, topicId, events, times }) => {
  await using pool = openPool(url, 1)
  const call = async (request: Dispatcher.RequestOptions) => {
    const { statusCode, body } = await pool.request(request)
    const text = await body.text()
    if (statusCode !== 200) throw new Error(`${request.path} answered ${statusCode}: ${text.slice(0, 300)}`)
    return text
  }
  const page = async (query: string) => {
    const text = await call({ method: 'GET', path: `/events?${query}&limit=${pageEvents}` })
    const { length } = JSON.parse(text) as unknown[]
    if (length !== pageEvents) throw new Error(`${query} gave ${length} events`)
  }
  const place = () => randomInt(1, events - pageEvents)
  const things: Readonly<Record<string, () => Promise<unknown>>> = {
    'a page after a seq': () => page(`topic=${topic}&after=${place()}`),
    'the newest page': () => page(`topic=${topic}&order=desc`),
    'the newest page of a pattern': () => page('topic=*&order=desc'),
    'a page from a time on': () => page(`topic=${topic}&from=${timeOf(place())}`),
    'an event by its id': () => call({ method: 'GET', path: `/events/${topic}/${idOf(topicId, place())}` }),
    '/stats': () => call({ method: 'GET', path: '/stats' }),
    'an event published, until it is stored': () =>
      call({
        method: 'POST',
        path: '/publish',
        headers: { 'content-type': 'application/json', prefer: 'wait=10' },
        body: JSON.stringify({
          topic,
          event_id: randomUUID(),
          timestamp: new Date().toISOString(),
          source: 'bench',
          payload: { n: 1 },
        }),
      }),
  }
  const medians: Record<string, number> = {}
  for (const [name, does] of Object.entries(things)) {
    const took: number[] = []
    for (let time = 0; time < times; time += 1) {
      const startedAt = performance.now()
      await does()
      took.push(performance.now() - startedAt)
    }
    medians[name] = percentile(took, 0.5)
  }
  return medians
})

/** As fill.ts makes them. */
function idOf(topicId: number, n: number): string {
  const hex = createHash('md5').update(`${topicId}-${n}`).digest('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
