/** What the edge of docker compose does where no gateway is quick enough for its checks. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '@sekali/servers/free-port'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { beforeAll, expect, test } from 'vitest'
import { startEdge } from './haproxy.ts'

beforeAll(() => requireDebian('haproxy'))

/** More than the edge gives a check. */
const slowMs = 2_500

/** In a gateway's place: it takes its time for a check, once it is told to, and answers all else at once. */
async function startSlow() {
  let [isSlow, checks] = [false, 0]
  const server = createServer(async ({ url }, response) => {
    if (url === '/healthz' && isSlow) {
      await pause(slowMs)
      checks += 1
    }
    response.end('here')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    becomeSlow: () => {
      isSlow = true
    },
    checks: () => checks,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

test('gateways that are all too slow for a check are asked all the same, and one that is gone is passed over', async () => {
  await using first = await startSlow()
  await using second = await startSlow()
  await using edge = await startEdge([`127.0.0.1:${await freePort()}`, first.host, second.host])
  const statusOf = async () => (await fetch(edge.url)).status
  await eventually(async () => expect(await statusOf()).toBe(200))
  for (const gateway of [first, second]) gateway.becomeSlow()
  // Two checks that fail take a gateway out.
  await eventually(() => {
    for (const { checks } of [first, second]) expect(checks()).toBeGreaterThan(2)
  }, 20_000)
  for (let count = 0; count < 10; count += 1) expect(await statusOf()).toBe(200)
})

test('where no gateway is left the edge says so, as one that may be asked again', async () => {
  await using edge = await startEdge([`127.0.0.1:${await freePort()}`])
  await eventually(async () => {
    const answer = await fetch(edge.url)
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
    expect(await answer.json()).toMatchObject({ title: 'No gateway answers' })
  })
})
