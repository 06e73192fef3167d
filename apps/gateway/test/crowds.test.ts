/** What a crowd of tails leaves to those who come beside it. */
import { connect } from 'node:net'
import { untilConnected } from '@sekali/broker/connect'
import { announceHeads } from '@sekali/broker/heads'
import type { TopicName } from '@sekali/core/event'
import type { Head } from '@sekali/core/head'
import { parsePattern } from '@sekali/core/pattern'
import type { Position } from '@sekali/core/position'
import { createLog } from '@sekali/process/log'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker, ownDatabase, ownPrefix, ownStore } from '@sekali/testkit/own'
import { expect, inject, test } from 'vitest'
import { createHeadReads } from '../src/heads/head-reads.ts'
import { createHeads } from '../src/heads/heads.ts'
import { serveGateway } from './served-gateway.ts'

const log = createLog('gateway', 'silent')

async function ownTopics() {
  const store = await ownStore()
  await store.pool.query(
    "INSERT INTO topics (name, head) SELECT 'a.' || n, n FROM generate_series(1, 5000) n",
  )
  return store
}

test('whoever asks for a topic does not wait for a crowd that asks for patterns', async () => {
  await using store = await ownTopics()
  const read = createHeadReads(store)
  const crowd = (first: number) => Array.from({ length: 50 }, (_, n) => read(parsePattern(`*.${first + n}`)))
  const found = await Promise.all(crowd(1))
  expect(found.map((heads) => heads.map(({ topic }) => topic))).toEqual(found.map((_, n) => [`a.${n + 1}`]))
  const order: string[] = []
  const patterns = crowd(51).map((heads) => heads.then(() => order.push('pattern')))
  const name = read(parsePattern('a.7')).then(([head]) => order.push(`${head?.topic} ${head?.head}`))
  await Promise.all([...patterns, name])
  expect(order[0]).toBe('a.7 7')
})

test('who reads by itself once it watches costs no other read, and is told of changes', async () => {
  await using store = await ownTopics()
  await using broker = await ownBroker()
  await untilConnected(broker, 15_000)
  let reads = 0
  store.pool.on('acquire', () => reads++)
  // It looks once, at the beginning.
  await using heads = createHeads({ broker, store, log }, { pollMs: 1_000_000 })
  const all = new Set<string>()
  using _all = heads.watch(parsePattern('*.*'), ({ topic }) => all.add(topic))
  await eventually(() => expect(all.size).toBe(5_000))
  // As a poll is over only when another can be asked for, that one tells that the first is.
  await eventually(async () => {
    const before = reads
    using _topic = heads.watch('a.1' as TopicName, () => {}, 'changes')
    await heads.read(parsePattern('a.1'))
    expect(reads - before).toBe(1)
  })
  const before = reads
  const changed: Head[] = []
  using _changes = heads.watch(parsePattern('*.7'), (head) => changed.push(head), 'changes')
  expect(await heads.read(parsePattern('*.7'))).toHaveLength(1)
  const later = new Set<string>()
  using _later = heads.watch(parsePattern('*.8'), ({ topic }) => later.add(topic))
  await eventually(() => expect(later).toEqual(new Set(['a.8'])))
  expect(reads - before).toBe(2)
  const head: Head = {
    topicId: 7,
    topic: 'a.7' as TopicName,
    head: 70,
    epoch: 1,
    position: '1-0' as Position,
  }
  await eventually(async () => {
    await announceHeads(broker, broker.redis, [head])
    expect(changed.at(-1)).toEqual(head)
  })
})

test('a tail that comes with a body, or to the bare path, is answered past the router as by it', async () => {
  await using database = await ownDatabase()
  const options = { redisUrl: inject('redisUrl'), databaseUrl: database.url, prefix: ownPrefix() }
  await using gateway = await serveGateway(options)
  expect((await fetch(`${gateway.url}/tail`)).status).toBe(422)
  expect((await fetch(`${gateway.url}/tailor?topic=a`)).status).toBe(404)
  const { host } = new URL(gateway.url)
  const socket = connect(Number(host.split(':')[1]), '127.0.0.1')
  const told: string[] = []
  socket.setEncoding('latin1').on('data', (text) => told.push(String(text)))
  const large = `GET /tail?topic=a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 70000\r\n\r\n`
  socket.write(`GET /tail?topic= HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\n\r\nhello${large}`)
  await eventually(() =>
    expect(told.join('').match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 422', 'HTTP/1.1 413']),
  )
  socket.destroy()
})
