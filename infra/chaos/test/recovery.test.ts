import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { findLeaks, type Sample, takeSample } from '../src/check/watch.ts'
import { openDoor } from '../src/clients/door.ts'
import { awaitRecovery } from '../src/inject/recovery.ts'
import type { Target } from '../src/targets/target.ts'
import { ackedAt, fact, soundRun, topic } from './evidence.ts'

test('what /stats does not know is not taken for none: neither topics nor consumers', async () => {
  const { books, evidence } = soundRun()
  let topics: unknown
  await using server = createServer((_, reply) => reply.end(JSON.stringify({ topics, consumers: null })))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  await using door = openDoor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 1)
  const isBackWith = async (said: unknown) => {
    topics = said
    const recovery = awaitRecovery(door, [topic], books, 200)
    books.note(fact('a', 1), 0, 'ok', ackedAt)
    return (await recovery) !== undefined
  }
  expect(await isBackWith(null)).toBe(false) // neither store has answered
  expect(await isBackWith([])).toBe(false)
  expect(await isBackWith([{ topic, ...evidence.stats.get(topic) }])).toBe(true)
  const sample = () => takeSample({ strayNames: () => 0 } as Target, door, [topic])
  await expect(sample()).rejects.toThrow('the consumers')
  expect(await findLeaks({} as Sample, sample, AbortSignal.timeout(50))).toHaveLength(1)
})
