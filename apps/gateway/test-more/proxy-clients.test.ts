/** What nginx and Caddy, with the files of infra/proxies, tell the gateway of its clients, and them of the gateway. */
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { fillLog } from '@sekali/testkit/fill-log'
import { beforeAll, expect, test } from 'vitest'
import { eventBody } from '../test/gateway.ts'
import { behind, proxies, publicName, startProxy } from './proxy.ts'

beforeAll(() => requireDebian('nginx', 'caddy', 'openssl'))

const json = { 'Content-Type': 'application/json' }

/** A server that keeps what it was asked. */
async function ownUpstream() {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    host: `127.0.0.1:${port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

test.each(proxies)('%s passes on the key, the name and who asks, in HTTP/1.1', async (name) => {
  await using upstream = await ownUpstream()
  await using proxy = await startProxy(name, upstream.host)
  const headers = {
    Authorization: 'Bearer sekali_id_secret_sum',
    Prefer: 'wait=5',
    Origin: `https://${publicName}`,
  }
  for (const path of ['/events?topic=a.%3E', '/sekali/events?topic=a.%3E']) {
    expect((await proxy.open({ path, headers, from: '127.0.0.2' })).status).toBe(200)
  }
  for (const { url, httpVersion, headers: heard } of upstream.asked) {
    expect({ url, httpVersion }).toEqual({ url: '/events?topic=a.%3E', httpVersion: '1.1' })
    expect(heard).toMatchObject({
      authorization: headers.Authorization,
      prefer: headers.Prefer,
      origin: headers.Origin,
      host: publicName,
      'x-forwarded-for': '127.0.0.2',
    })
  }
  expect(upstream.asked.length).toBe(2)
})

test.each(proxies)(
  'behind %s each client has its own share, and none takes that of another by its word',
  async (name) => {
    await using own = await behind(name, { NEW_TOPICS_BURST: '20', NEW_TOPICS_PER_SECOND: '1' })
    let made = 0
    const make = async (many: number, from: string, headers: Readonly<Record<string, string>> = {}) => {
      const events = Array.from({ length: many }, () => eventBody({ topic: `topic-${made++}` }))
      const body = `[${events.join(',')}]`
      return await own.open({
        method: 'POST',
        path: '/publish',
        headers: { ...json, ...headers },
        body,
        from,
      })
    }
    expect((await make(20, '127.0.0.2')).status).toBe(200)
    const more = await make(15, '127.0.0.2')
    expect([more.status, more.headers['retry-after']]).toEqual([429, expect.stringMatching(/^\d+$/)])
    expect(JSON.parse(await more.text())).toMatchObject({ code: 'topic_rate' })
    const pretended = await make(15, '127.0.0.2', { 'X-Forwarded-For': '127.0.0.3' })
    expect(pretended.status).toBe(429)
    expect((await make(15, '127.0.0.3')).status).toBe(200)

    // A gateway that does not know the proxy believes nobody: all are one client.
    await using other = await behind(name, {
      NEW_TOPICS_BURST: '20',
      NEW_TOPICS_PER_SECOND: '1',
      TRUSTED_PROXIES: '',
    })
    const body = `[${Array.from({ length: 15 }, (_, index) => eventBody({ topic: `t-${index}` })).join(',')}]`
    const again = body.replaceAll('t-', 'u-')
    const publish = (body: string, from: string) =>
      other.open({ method: 'POST', path: '/publish', headers: json, body, from })
    expect((await publish(body, '127.0.0.2')).status).toBe(200)
    expect((await publish(again, '127.0.0.3')).status).toBe(429)
  },
)

test.each(proxies)(
  'behind %s the gateway still refuses names and pages that are not its own',
  async (name) => {
    await using own = await behind(name)
    const publish = (headers: Readonly<Record<string, string>>) =>
      own.open({ method: 'POST', path: '/publish', headers: { ...json, ...headers }, body: eventBody() })
    const own443 = await publish({ Origin: `https://${publicName}` })
    expect(own443.status, await own443.text()).toBe(200)
    // The port is part of an origin.
    const withPort = `${publicName}:${own.port}`
    expect((await publish({ Host: withPort, Origin: `https://${withPort}` })).status).toBe(200)
    const foreign = await publish({ Origin: 'https://evil.example' })
    expect([foreign.status, JSON.parse(await foreign.text())]).toMatchObject([
      403,
      { code: 'foreign_origin' },
    ])
    const renamed = await publish({ Host: 'evil.example' })
    // Caddy has no such site, and answers without asking anybody.
    if (name === 'nginx')
      expect([renamed.status, await renamed.text()]).toEqual([421, expect.stringMatching(/unknown_host/)])
    else expect(await renamed.text()).toBe('')
  },
)

test.each(proxies)(
  'behind %s a refusal says when to try again, also while the gateway is away',
  async (name) => {
    await using own = await behind(name, { REDIS_URL: 'redis://127.0.0.1:1' })
    const publish = () => own.open({ method: 'POST', path: '/publish', headers: json, body: eventBody() })
    const refused = await publish()
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, expect.stringMatching(/^\d+$/)])
    expect(JSON.parse(await refused.text())).toMatchObject({ code: 'broker_unavailable' })
    own.gateway.signal('SIGKILL')
    await own.gateway.exited
    const away = await publish()
    expect([away.status, away.headers['retry-after']]).toEqual([503, '1'])
    expect(away.headers['content-type']).toContain('application/problem+json')
    expect(JSON.parse(await away.text())).toMatchObject({ status: 503, title: 'The gateway does not answer' })
  },
)

const toHttp10 = (site: string) => site.replace('proxy_http_version 1.1;', '')
const versions = [
  { name: 'nginx', spoken: 'HTTP/1.1', end: 'an error', change: undefined },
  { name: 'nginx', spoken: 'HTTP/1.0', end: 'an end', change: toHttp10 },
  // Until 2.8 Caddy made an end of every break (caddy#5951).
  { name: 'caddy', spoken: 'HTTP/1.1', end: /an (end|error)/, change: undefined },
] as const

test.each(versions)(
  'a replay that breaks off does not look whole through $name in $spoken',
  async ({ name, end, change }) => {
    await using own = await behind(name, {}, change)
    const many = 20_000
    await fillLog(own.store, { many }, { payload: `json_build_object('x', repeat('x', 500))` })
    const headers = { Accept: 'application/x-ndjson', Prefer: 'progress' }
    const replay = () => own.open({ path: '/events?topic=many', headers })
    const whole = (await (await replay()).text()).trimEnd().split('\n')
    expect(whole.at(-1)).toBe(`{"status":"complete","events":${many}}`)
    expect(whole.length).toBe(many + 2)

    const locker = await own.store.pool.connect()
    try {
      const { response } = await replay()
      let text = ''
      const ended = new Promise<string>((resolve) => {
        response.on('end', () => resolve('an end')).on('error', () => resolve('an error'))
      })
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      await eventually(async () => expect(text.length).toBeGreaterThan(0))
      await locker.query('BEGIN; LOCK TABLE events')
      own.gateway.signal('SIGKILL')
      // In HTTP/1.0 the end of the connection is an end, so the last line alone can tell.
      expect(await ended).toMatch(end)
      expect(text).toMatch(/^\{"status":"reading","events":0\}\n/)
      expect(text).not.toContain('"complete"')
    } finally {
      await locker.query('ROLLBACK')
      locker.release()
    }
  },
)
