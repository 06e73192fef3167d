import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { announceHeads } from '@sekali/broker/heads'
import type { Event } from '@sekali/core/event'
import { parseJson } from '@sekali/core/json'
import type { Json, Projection } from '@sekali/projection/define'
import { fold, prepare } from '@sekali/projection/fold'
import { readHeads } from '@sekali/store/heads'
import { readProjections } from '@sekali/store/read-projections'
import { readStatesPage } from '@sekali/store/read-states'
import { readTopic } from '@sekali/store/read-topic'
import { startApp } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownStore } from '@sekali/testkit/own'
import { at, event } from '@sekali/testkit/sample'
import { ownFolder } from '@sekali/testkit/servers'
import { storeEvents } from '@sekali/testkit/store-events'
import { expect, inject } from 'vitest'

/** A database of one's own, a folder of definitions, and projectors on them. */
export async function ownStack() {
  const store = await ownStore()
  const broker = await ownBroker()
  const folder = await ownFolder()
  const env = {
    REDIS_URL: inject('redisUrl'),
    DATABASE_URL: store.url,
    REDIS_PREFIX: broker.prefix,
    PROJECTIONS_DIR: folder.path,
    PROJECTIONS_BUILT_IN: 'off',
  }
  const statusOf = async (name: string) => (await readProjections(store)).find((one) => one.name === name)
  return {
    store,
    env,
    /** Writes a file of definitions. */
    define: (file: string, text: string) =>
      writeFile(join(folder.path, file), `import { defineProjection } from '@sekali/projection'\n${text}`),
    /** Writes another file beside them. */
    put: (file: string, text: string) => writeFile(join(folder.path, file), text),
    remove: (file: string) => rm(join(folder.path, file)),
    projector: (name: string, more: Record<string, string> = {}) =>
      startApp('projector/src/main.ts', { ...env, PROJECTOR_NAME: name, ...more }),
    status: statusOf,
    /** The states by key; of a projection without keys, under the empty key. */
    async states(name: string) {
      const page = await readStatesPage(store, name, { after: '', limit: 10_000 })
      if (typeof page?.state === 'string') return { '': parseJson(page.state) }
      return Object.fromEntries(page?.keys.map(({ key, state }) => [key, parseJson(state)]) ?? [])
    },
    /** Waits until a projection has folded all that is stored. */
    level: (name: string, version = 1) =>
      eventually(async () => {
        const status = await statusOf(name)
        expect(status).toMatchObject({ status: 'live', version, lag: 0 })
        return status
      }, 30_000),
    /** What a fold of the log from its beginning comes to, topic by topic. */
    async fromZero(projection: Projection, topics: readonly string[]): Promise<Record<string, Json>> {
      let states: ReadonlyMap<string, string> = new Map()
      for (const topic of topics) {
        const { events } = await readTopic(store, { topic, after: at(0), limit: 100_000 })
        const folded = fold(projection, prepare(projection, events), states)
        states = new Map([...states, ...folded.states])
      }
      return Object.fromEntries([...states].map(([key, state]) => [key, parseJson(state)]))
    },
    /** Stores events of one topic, and says so, as a consumer does. */
    async append(events: Event[], beforeCommit?: () => Promise<void>) {
      await storeEvents(store, events, beforeCommit)
      const [head] = await readHeads(
        store,
        events.slice(0, 1).map(({ topic }) => topic),
      )
      if (head !== undefined) await announceHeads(broker, broker.redis, [head])
    },
    async [Symbol.asyncDispose]() {
      await broker[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** Events e`from`, e`from + 1`, … of a topic, from ten customers. */
export const numbered = (topic: string, count: number, from = 1): Event[] =>
  Array.from({ length: count }, (_, index) => {
    const n = from + index
    return event({ topic, eventId: `e${n}`, payload: `{"n":${n},"customer":"c${n % 10}"}` })
  })

/**
 * A projection that shows it when an event is folded twice, left out or folded out of its topic's order: the sum of the
 * numbers, and the last of each topic, which must be smaller than the next. As text, because it goes into a file, too.
 */
export const orderly = (version = 1, key = '({ payload }) => String(payload.customer)') => `
export const orderly = defineProjection({
  name: 'orderly',
  version: ${version},
  topics: 'orders.>',
  initial: { count: 0, sum: 0, last: {} },
  ${key === '' ? '' : `key: ${key},`}
  apply: ({ count, sum, last }, { topic, seq, payload }) => {
    if (seq <= (last[topic] ?? 0)) throw new Error('seq ' + seq + ' comes after ' + last[topic])
    return { count: count + 1, sum: sum + payload.n, last: { ...last, [topic]: seq } }
  },
})
`

/** A projection without keys whose state is a number, by the text of its `apply`. */
export const counting = (name: string, apply: string) => `
export const ${name} = defineProjection({ name: '${name}', topics: 'orders.>', initial: 0, apply: ${apply} })`
