import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connectBroker } from '@sekali/broker/connect'
import { readStreams } from '@sekali/broker/streams'
import { startApp } from '@sekali/local/app-process'
import { waitReady } from '@sekali/local/readiness'
import { programs } from '@sekali/local/repository'
import { freePort } from '@sekali/servers/free-port'
import { startRedis } from '@sekali/servers/redis-server'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { expect, test } from 'vitest'
import { bodyOf } from '../src/clients/content.ts'
import { openDoor } from '../src/clients/door.ts'
import { until } from '../src/clock.ts'
import { appendRequest } from '../src/faults/replies.ts'
import { startProxy } from '../src/targets/proxy.ts'

const quiet = { info: () => {}, warn: () => {}, error: () => {} }

test('an append whose answer is swallowed is one entry: the publisher is told to try again, and nobody else does [P1]', async () => {
  await using parts = new AsyncDisposableStack()
  const { path } = parts.use(await temporaryFolder('sekali-chaos-'))
  const logDir = join(path, 'logs')
  await mkdir(logDir)
  const redis = await startRedis({ dir: join(path, 'redis') })
  parts.defer(() => redis.stop())
  const proxy = parts.use(
    await startProxy(() => ({ host: '127.0.0.1', port: Number(new URL(redis.url).port) })),
  )
  const port = await freePort()
  const env = {
    REDIS_URL: Object.assign(new URL(redis.url), { port: String(proxy.port) }).href,
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing', // only what is read comes from there
    PORT: String(port),
  }
  const gateway = await startApp({ name: 'gateway', program: programs.gateway, logDir, env })
  parts.defer(() => gateway.stop())
  const url = `http://127.0.0.1:${port}`
  const door = parts.use(openDoor(url, 2))
  const broker = parts.use(connectBroker({ url: redis.url, prefix: 'sekali', name: 'test' }, quiet))
  await waitReady(url, join(logDir, 'gateway.log'), AbortSignal.timeout(20_000))
  const publish = async (n: number) =>
    (await door.post('/publish', bodyOf({ topic: 'orders', source: 's', n }, 0))).status

  expect(await publish(1)).toBe(200)
  const sprung = proxy.dropReply(appendRequest, AbortSignal.timeout(10_000))
  expect(await publish(2)).toBe(503)
  expect(await sprung).toBe(true)
  expect(await until(async () => (await publish(3)) === 200, 5_000)).toBe(true)
  expect((await readStreams(broker)).get('orders')?.entriesAdded).toBe(3)
})
