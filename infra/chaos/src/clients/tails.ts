/**
 * Readers that stay on GET /tail from before the first fault, and begin again behind the last id whenever their
 * connection ends. What each got, all its connections together, must be the final log; readers.ts compares.
 *
 * One is our own client's, through the same misbehaving network as the load. The others trust nobody: they read the
 * frames themselves, keep the id themselves, and hang up at random moments, in mid-frame too; one follows all topics as
 * a pattern, whose cursors are opaque, and one each topic by its name, whose cursors are seqs.
 */
import { setMaxListeners } from 'node:events'
import { connectionTo } from '@sekali/client/connection'
import { tailText } from '@sekali/client/tail'
import { Agent, request } from 'undici'
import { pause, until } from '../clock.ts'
import { createRandom, type Random } from '../random.ts'
import { bearer, type KeyNow } from './door.ts'
import { type LogRow, parsePage, Restored, restoredIn, type Seen, seenOf } from './log.ts'

export interface TailSeen {
  readonly name: string
  /** Those that it must have seen. */
  readonly topics: readonly string[]
  readonly seen: ReadonlyMap<string, readonly Seen[]>
  /** How often it connected, or tried to. */
  readonly connections: number
  /** How often it was told that a log was restored. */
  readonly told: number
  /** What should never have been answered, in words. */
  readonly complaints: readonly string[]
}

export interface Tails extends AsyncDisposable {
  /** Reads on until each has seen as much as the log holds, or will not any more; then ends. */
  finish(log: ReadonlyMap<string, readonly LogRow[]>): Promise<readonly TailSeen[]>
}

export interface TailsOptions {
  readonly seed: number
  readonly topics: readonly string[]
  /** Matches these topics and no others. */
  readonly pattern: string
  /** For the client's tail, through the proxy, and for those that hang up by themselves. */
  readonly url: string
  readonly quietUrl: string
  readonly keyNow?: KeyNow | undefined
}

const settleMs = 30_000
/** So long after it has seen all a tail is heard, should anything come twice. */
const lingerMs = 300

export function startTails(options: TailsOptions): Tails {
  const { seed, topics, pattern, url, quietUrl, keyNow = () => undefined } = options
  const stopping = new AbortController()
  const { signal } = stopping
  setMaxListeners(0, signal)
  const agent = new Agent({ connections: null, connectTimeout: 5_000, headersTimeout: 5_000, bodyTimeout: 0 })

  const byClient = createRecord('of the client', topics)
  const byPattern = createRecord('of the pattern', topics)
  const byName = topics.map((topic) => createRecord(`of ${topic}`, [topic]))
  const records = [byClient, byPattern, ...byName]
  const running = [
    followByClient(connectionTo(clientOptions(url, keyNow)), pattern, byClient, signal),
    ...[byPattern, ...byName].map((record) =>
      follow({
        agent,
        url: `${quietUrl}/tail?topic=${record === byPattern ? pattern : record.topics[0]}&from=start`,
        keyNow,
        record,
        random: createRandom(seed, `tail ${record.name}`),
        signal,
      }),
    ),
  ]
  let ended: Promise<unknown> | undefined
  const end = () => {
    stopping.abort()
    ended ??= Promise.all(running).then(() => agent.destroy())
    return ended
  }
  return {
    finish: async (log) => {
      const lengthOf = (topic: string) => log.get(topic)?.length ?? 0
      const isThere = ({ topics, seen }: TailRecord) =>
        topics.every((topic) => (seen.get(topic)?.length ?? 0) >= lengthOf(topic))
      await until(() => records.every(isThere), settleMs, signal)
      await pause(lingerMs)
      await end()
      for (const record of records) record.settle(log)
      return records
    },
    [Symbol.asyncDispose]: async () => void (await end()),
  }
}

interface TailRecord extends TailSeen {
  connections: number
  told: number
  readonly complaints: string[]
  take(text: string): void
  /** It was told of a restore: what it has read beyond the fork is gone, of this topic and perhaps of others. */
  onRestored(restored: Pick<Restored, 'topic' | 'forkedAt'>): void
  /** Forgets what was beyond a fork where nothing has come since. */
  settle(log: ReadonlyMap<string, readonly LogRow[]>): void
}

function createRecord(name: string, topics: readonly string[]): TailRecord {
  const seen = new Map<string, Seen[]>(topics.map((topic) => [topic, []]))
  const complaints: string[] = []
  /** Topics that may have forked as well: their next event says where, if they have. */
  const rewinding = new Set<string>()
  return {
    ...{ name, topics, seen, complaints },
    connections: 0,
    told: 0,
    take(text) {
      const [, topic = ''] = /^\{"topic":"([^"]*)"/.exec(text) ?? []
      try {
        const events = parsePage(`[${text}]`).map(seenOf)
        const list = seen.get(topic)
        if (list === undefined) throw new Error('nobody asked for it')
        const [first] = events
        if (rewinding.delete(topic) && first !== undefined && first.seq <= list.length)
          list.splice(first.seq - 1)
        list.push(...events)
      } catch (error) {
        complaints.push(`it got ${text.slice(0, 200)}: ${(error as Error).message}`)
      }
    },
    onRestored({ topic, forkedAt }) {
      this.told += 1
      seen.get(topic)?.splice(forkedAt)
      for (const other of topics) if (other !== topic) rewinding.add(other)
    },
    settle(log) {
      for (const topic of rewinding) seen.get(topic)?.splice(log.get(topic)?.length ?? 0)
    },
  }
}

const clientOptions = (baseUrl: string, keyNow: KeyNow) => ({
  baseUrl,
  retry: { delayMaxMs: 1_000 },
  ...(keyNow() !== undefined && { token: () => keyNow() ?? '' }),
})

/** What the SDK throws, by what is documented of it. */
const isRestored = (error: unknown): error is Pick<Restored, 'topic' | 'forkedAt' | 'cursor'> =>
  error instanceof Error && 'code' in error && error.code === 'log_restored'

async function followByClient(
  connection: ReturnType<typeof connectionTo>,
  pattern: string,
  record: TailRecord,
  signal: AbortSignal,
): Promise<void> {
  const onRetry = () => {
    record.connections++
  }
  onRetry()
  try {
    for (let cursor: string | undefined; ; ) {
      const place = cursor === undefined ? ({ from: 'start' } as const) : { cursor }
      try {
        for await (const { text } of tailText(connection, { topic: pattern, ...place }, { signal, onRetry }))
          record.take(text)
        break
      } catch (error) {
        if (!isRestored(error)) throw error
        record.onRestored(error)
        cursor = error.cursor
      }
    }
    record.complaints.push('it ended')
  } catch (error) {
    if (!signal.aborted) record.complaints.push(`it ended: ${(error as Error).message}`)
  }
}

interface Following {
  readonly agent: Agent
  readonly url: string
  readonly keyNow: KeyNow
  readonly record: TailRecord
  readonly random: Random
  readonly signal: AbortSignal
}

/** What is wrong with the answer, and will be next time. */
class Refused extends Error {}

async function follow({ agent, url, keyNow, record, random, signal }: Following): Promise<void> {
  let lastId = ''
  while (!signal.aborted) {
    record.connections++
    const patienceMs = random.chance(0.3) ? random.int(5, 100) : random.int(100, 3_000)
    const hangUp = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)])
    try {
      const headers = { ...bearer(keyNow()), ...(lastId === '' ? {} : { 'last-event-id': lastId }) }
      for await (const { id, data } of read(agent, url, headers, hangUp)) {
        if (data !== undefined) record.take(data)
        lastId = id ?? lastId
      }
    } catch (error) {
      if (error instanceof Refused) record.complaints.push(error.message)
      if (error instanceof Restored) {
        record.onRestored(error)
        lastId = error.cursor
      }
      // Any other end is as good as its own.
    }
    await pause(random.int(0, 200), signal)
  }
}

interface Block {
  readonly id: string | undefined
  readonly data: string | undefined
}

/** The blocks that came whole; what was cut off comes again, behind the last id. */
async function* read(
  dispatcher: Agent,
  url: string,
  headers: Readonly<{ [name: string]: string }>,
  signal: AbortSignal,
): AsyncGenerator<Block, void> {
  const { statusCode, body } = await request(url, { headers, signal, dispatcher })
  if (statusCode !== 200) {
    const said = await body.text()
    const restored = restoredIn(statusCode, said)
    if (restored !== undefined) throw restored
    if (statusCode < 500) throw new Refused(`answered ${statusCode}: ${said.slice(0, 200)}`)
    return
  }
  body.setEncoding('utf8')
  let rest = ''
  for await (const chunk of body) {
    const blocks = `${rest}${chunk}`.split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) yield { id: fieldOf(block, 'id'), data: fieldOf(block, 'data') }
  }
}

const fieldOf = (block: string, name: string): string | undefined =>
  block
    .split('\n')
    .find((line) => line.startsWith(`${name}: `))
    ?.slice(name.length + 2)
