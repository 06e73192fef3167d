/**
 * More than can be taken, more of the same, more processes than usual.
 *
 * Threatens: exactly once (the same ids from many sides at once), first in, first out under a backlog, the schema
 * (eight processes that all find the database empty), names and connections that pile up with restarts. Recovered
 * as everywhere: here the recovery is the time that the backlog takes.
 */

import { until } from '../clock.ts'
import { defineFault, PromiseBroken } from '../fault.ts'

const backlog = defineFault({
  name: 'backlog',
  about: 'all consumers are stopped while three times the load comes in, then they go on',
  needs: ['processes'],
  async run({ target: { processes }, workload, random, pause }) {
    const consumers = (await processes.parts()).filter(({ kind }) => kind === 'consumer')
    for (const consumer of consumers) await processes.signal(consumer, 'SIGSTOP')
    workload.accelerate(3)
    await pause(random.int(3_000, 9_000))
    workload.accelerate(1)
    for (const consumer of consumers) await processes.signal(consumer, 'SIGCONT')
  },
})

const publishers = 20
const stormEvents = 30

const storm = defineFault({
  name: 'duplicate-storm',
  about: '20 publishers send the same events at once, half of them in the opposite order: 95 % duplicates',
  needs: [],
  async run({ workload, topics, random }) {
    const topic = random.pick(topics)
    const name = `storm${random.int(0, 999_999_999)}`
    const facts = Array.from({ length: stormEvents }, (_, index) => ({
      topic,
      source: name,
      n: index + 1,
      unordered: true,
    }))
    const publisher = async (_: unknown, number: number) => {
      for (const fact of number % 2 === 0 ? facts : facts.toReversed()) await workload.send(fact)
    }
    await Promise.all(Array.from({ length: publishers }, publisher))
  },
})

const restartsPerRound = 10

const restarts = defineFault({
  name: 'restarts',
  about: 'ten more consumers, each under a new name, are started and killed one after the other',
  needs: ['extras'],
  async run({ target: { extras }, random, pause }, signal) {
    for (let times = 0; times < restartsPerRound && !signal.aborted; times++) {
      const extra = await extras.startConsumer({}, { isNew: true })
      await pause(random.int(200, 900))
      extra.signal('SIGKILL')
      await extra.exited
    }
  },
})

const readyMs = 30_000

const coldStart = defineFault({
  name: 'cold-start',
  about: 'eight processes start at once on an empty database: four migrations, three consumers, a gateway',
  needs: ['servers'],
  async run({ target: { servers }, random }, signal) {
    await using system = await servers.startEmpty({ migrations: 4, consumers: 3 })
    const body = `{"topic":"cold","event_id":"1","timestamp":"2026-01-01T00:00:00Z","source":"s","payload":{"n":${random.int(0, 9)}}}`
    const works = await until(
      async () => {
        const headers = { 'content-type': 'application/json' }
        await fetch(`${system.url}/publish`, { method: 'POST', headers, body })
        const answer = await fetch(`${system.url}/events?topic=cold&after=0`)
        return answer.status === 200 && ((await answer.json()) as unknown[]).length === 1
      },
      readyMs,
      signal,
    )
    if (!works && !signal.aborted)
      throw new PromiseBroken(`a cold start did not come up in ${readyMs / 1_000} s`)
    const failed = await system.failures()
    if (failed.length > 0) throw new PromiseBroken(`a cold start: ${failed.join('; ')}`)
  },
})

export const load = [backlog, storm, restarts, coldStart]
