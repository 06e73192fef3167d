/** A real HAProxy in front: how it checks, and whether its rules on paths hold. */
import { freePort } from '@sekali/servers/free-port'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { ownBroker } from '@sekali/testkit/own'
import { beforeAll, expect, inject, test } from 'vitest'
import { exchangeUnchecked } from '../test/exchange.ts'
import { nowhere } from '../test/gateway.ts'
import { serveGateway } from '../test/served-gateway.ts'
import { startHaproxy } from './haproxy.ts'

beforeAll(() => requireDebian('haproxy'))

/** A gateway behind a HAProxy that keeps /publish and rebuilds to itself, as somebody would write it down. */
async function behindHaproxy() {
  await using stack = new AsyncDisposableStack()
  const broker = stack.use(await ownBroker())
  const { databaseUrl } = nowhere
  const gateway = stack.use(
    await serveGateway({ redisUrl: inject('redisUrl'), databaseUrl, prefix: broker.prefix }),
  )
  const url = `http://127.0.0.1:${await freePort()}`
  stack.use(await startHaproxy(configuration(new URL(url).host, new URL(gateway.url).host)))
  const parts = stack.move()
  return { url, gateway, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

const configuration = (door: string, gateway: string) => `
defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
  timeout check 2s
  default-server check inter 100ms rise 1 fall 1
frontend door
  bind ${door}
  stats enable
  stats uri /haproxy
  http-request deny if { path_beg /publish } || { path_beg /projections } { path_end /rebuild }
  default_backend plain
backend plain
  option httpchk
  server gateway ${gateway}
backend ready
  option httpchk /readyz
  server gateway ${gateway}
backend get
  option httpchk GET /readyz
  server gateway ${gateway}
backend named
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host pool-7.internal
  server gateway ${gateway}
`

/** By backend, what HAProxy thinks of the gateway, and the status of its last check. */
async function checks(url: string): Promise<Record<string, string>> {
  const csv = await (await fetch(`${url}/haproxy;csv`)).text()
  const [head = '', ...rows] = csv.replace(/^# /, '').trim().split('\n')
  const names = head.split(',')
  const servers = rows.map((row) => Object.fromEntries(row.split(',').map((cell, at) => [names[at], cell])))
  return Object.fromEntries(
    servers
      .filter(({ svname }) => svname === 'gateway')
      .map(({ pxname, status, check_code }) => [pxname, `${status} ${check_code}`]),
  )
}

test('HAProxy sends to a gateway as long as it is ready, however it checks', async () => {
  await using proxy = await behindHaproxy()
  const all = (verdict: string) => ({ plain: verdict, ready: verdict, get: verdict, named: verdict })
  await eventually(async () => expect(await checks(proxy.url)).toEqual(all('UP 200')))
  expect((await fetch(`${proxy.url}/healthz`)).status).toBe(200)
  proxy.gateway.drain.abort()
  await eventually(async () => expect(await checks(proxy.url)).toEqual(all('DOWN 503')))
  expect((await fetch(`${proxy.url}/healthz`)).status).toBe(503)
})

test('what HAProxy keeps to itself nobody reaches by another spelling', async () => {
  await using proxy = await behindHaproxy()
  await eventually(async () => expect((await checks(proxy.url)).plain).toBe('UP 200'))
  const { host } = new URL(proxy.url)
  const status = async (target: string) => {
    const head = [
      `POST ${target} HTTP/1.1`,
      `Host: ${host}`,
      'Content-Length: 0',
      'Connection: close',
      '',
      '',
    ]
    return (await exchangeUnchecked(proxy.url, head.join('\r\n'))).slice(9, 12)
  }
  for (const target of ['/publish', '/publish/x', '/projections/totals/rebuild']) {
    expect(await status(target)).toBe('403')
  }
  for (const target of [
    '/%70ublish',
    '/events/../publish',
    '/events/%2e%2e/publish',
    '/./publish',
    '//publish',
    `http://${host}//publish`,
    '/events\\..\\publish',
    '/projections/totals/%72ebuild',
    '/projections/totals/rebuild?x#',
    '/%70rojections/totals/rebuild',
    '/events/..%2fpublish',
  ]) {
    expect([target, await status(target)]).toEqual([target, expect.stringMatching(/^40[034]$/)])
  }
  // Ids are passed on as they are.
  expect((await fetch(`${proxy.url}/projections/totals/${encodeURIComponent('a/../publish')}`)).status).toBe(
    503,
  )
})
