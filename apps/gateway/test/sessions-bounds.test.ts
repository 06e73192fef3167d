/** What one key's sessions may cost: the gateway, the log, and whoever else comes. */
import type { IncomingMessage } from 'node:http'
import type { Logger } from '@sekali/process/log'
import { ownBroker } from '@sekali/testkit/own'
import { expect, test, vi } from 'vitest'
import { createAdmitted } from '../src/access/admitted.ts'
import { watchEndedSessions } from '../src/access/ended-sessions.ts'
import type { KeyRecord } from '../src/access/key-reads.ts'
import { forever } from '../src/access/life.ts'
import { admitAs } from '../src/access/principals.ts'
import { unlimited } from '../src/access/quota.ts'
import { sessionHandlersOf } from '../src/access/session.ts'
import { createClients } from '../src/clients/clients.ts'
import { problemIn } from './gateway.ts'
import { ownKeys } from './own-keys.ts'

type Line = readonly [level: string, message: string, fields: Readonly<Record<string, unknown>>]

function ownLog() {
  const lines: Line[] = []
  // As pino takes it: the fields may be left out.
  const on = (level: string) => (fields: Line[2] | string, message: string) =>
    void lines.push(typeof fields === 'string' ? [level, fields, {}] : [level, message, fields])
  const log = { info: on('info'), warn: on('warn'), error: on('error') } as unknown as Logger
  return { lines, log }
}

const recordOf = (holder: string): KeyRecord =>
  ({
    grant: { holder, scopes: ['publish'], topics: [], eventsPerSecond: 5 },
    hash: Buffer.from(holder),
    expiresAt: null,
    revokedAt: null,
  }) as unknown as KeyRecord

function ownAdmitted() {
  const { log } = ownLog()
  const admitted = createAdmitted({ find: async () => new Map(), note: async () => undefined, log })
  const addSession = (keyId: string, n: number) =>
    admitted.addSession(
      `${keyId} ${n}`,
      { keyId, name: `${keyId}.${n}`, endsAtMs: Date.now() + 60_000 },
      recordOf(keyId),
    )
  return {
    ...admitted,
    addSession,
    addKey: (id: string) => admitted.addKey(id, id, recordOf(id)),
    [Symbol.asyncDispose]: () => admitted[Symbol.asyncDispose](),
  }
}

test('a key and all its sessions may publish together what the key may', async () => {
  await using own = ownAdmitted()
  const key = own.addKey('a')
  expect(own.addSession('a', 1).quota).toBe(key.quota)
  expect(own.addSession('a', 2).quota).toBe(key.quota)
  expect(own.addKey('b').quota).not.toBe(key.quota)
})

test('one key has a hundred sessions here, and drives out nobody else and nothing under way', async () => {
  await using own = ownAdmitted()
  own.addSession('b', 1)
  const ended: string[] = []
  own.addSession('a', 0).life.onEnd((why) => ended.push(why))
  for (let n = 1; n <= 150; n++) own.addSession('a', n)
  const names = [...own.sessions()]
  expect(names.length).toBe(101)
  expect(names).toEqual(expect.arrayContaining(['b.1', 'a.0', 'a.150', 'a.52']))
  expect(own.of('a 51')).toBeUndefined()
  // All of them have something under way: the oldest ends.
  for (const name of names.slice(1)) own.of(name.replace('.', ' '))?.life.onEnd(() => undefined)
  own.addSession('a', 151)
  expect(ended).toEqual(['This key has more than 100 sessions here: the oldest has ended.'])
  expect([...own.sessions()].length).toBe(101)
})

test('what was let in is all that is looked up, until it is left', async () => {
  await using own = ownAdmitted()
  own.addSession('a', 1)
  own.addSession('a', 2)
  own.endSession('a.1')
  expect([...own.sessions()]).toEqual(['a.2'])
  expect(own.of('a 1')).toBeUndefined()
  own.endKey('a')
  expect([...own.sessions()]).toEqual([])
})

test('that sessions cannot be looked up is logged once, whatever the reason', async () => {
  const { lines, log } = ownLog()
  let looks = 0
  const looked = Promise.withResolvers<void>()
  const findEnded = async () => {
    looks += 1
    if (looks === 5) looked.resolve()
    if (looks < 4) throw new RangeError('Maximum call stack size exceeded')
    return new Set<string>()
  }
  await using _watching = watchEndedSessions(
    { sessions: () => ['a'], findEnded, onEnded: () => undefined, log },
    5,
  )
  await looked.promise
  expect(lines.map(([level, message]) => [level, message])).toEqual([
    ['warn', 'sessions cannot be looked up: those that are known go on'],
    ['info', 'sessions can be looked up again'],
  ])
})

test('a key that begins session after session has to wait, and others do not', async () => {
  await using own = await ownKeys()
  const [one, other] = [await own.make(), await own.make()]
  const logIn = (key: string) => own.ask('/session', key, { method: 'POST' })
  const answers = await Promise.all(Array.from({ length: 40 }, () => logIn(one.text)))
  expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThanOrEqual(20)
  const refused = answers.find(({ status }) => status !== 201)
  expect([refused?.status, refused?.headers.get('retry-after')]).toEqual([429, '1'])
  expect(refused?.headers.get('set-cookie')).toBeNull()
  if (refused !== undefined) expect((await problemIn(refused)).code).toBe('rate_limited')
  expect((await logIn(other.text)).status).toBe(201)
})

test('the log says whose session begins, ends or cannot, from where, and never how it is signed', async () => {
  await using broker = await ownBroker()
  const { lines, log } = ownLog()
  const clients = createClients([])
  const session = sessionHandlersOf({ figuresBroker: broker, clients, auth: 'keys', keys: undefined, log })
  const request = (name?: string) => {
    const headers = { authorization: 'Bearer sekali_secret' }
    const made = { headers, rawHeaders: [], socket: { remoteAddress: '192.0.2.1' } }
    const incoming = made as unknown as IncomingMessage
    const grant = { holder: 'key-1', scopes: ['read'] as const, topics: [] }
    const ofSession =
      name === undefined ? { kind: 'key' as const } : { kind: 'session' as const, session: name }
    const endsAtMs = () => Number.POSITIVE_INFINITY
    admitAs(incoming, { grant, life: forever, quota: unlimited, endsAtMs, ...ofSession })
    return { env: { incoming } } as never
  }
  const begun = await session.logIn.handler(request())
  expect(begun.status).toBe(201)
  await session.logOut.handler(request('1800000000.name'))
  // It would come back by itself.
  vi.spyOn(broker.redis, 'connect').mockRejectedValue(new Error('not yet'))
  broker.redis.disconnect()
  await expect((async () => session.logOut.handler(request('1800000000.name')))()).rejects.toThrow()
  await expect((async () => session.logIn.handler(request()))()).rejects.toThrow()
  const whose = { key: 'key-1', client: '192.0.2.1' }
  expect(lines).toEqual([
    ['info', 'session begun', whose],
    ['info', 'session ended', whose],
    ['warn', 'session cannot end', { ...whose, err: expect.any(Error) }],
    ['warn', 'session cannot begin', { ...whose, err: expect.any(Error) }],
  ])
  for (let n = 0; n < 100; n++) {
    await (async () => session.logOut.handler(request('1800000000.name')))().catch(() => undefined)
  }
  expect(lines.length).toBeLessThan(30)
})
