/** What must get through the files of infra/proxies, in nginx and Caddy as Debian has them. */
import { execFile } from 'node:child_process'
import process from 'node:process'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createFirstKey } from '@sekali/store/first-key'
import { startApp } from '@sekali/testkit/app'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { fillLog } from '@sekali/testkit/fill-log'
import { beforeAll, expect, test } from 'vitest'
import { eventBody } from '../test/gateway.ts'
import { behind, proxies, publicName } from './proxy.ts'

beforeAll(() => requireDebian('nginx', 'caddy', 'openssl'))

const json = { 'Content-Type': 'application/json' }
const lines = { 'Content-Type': 'application/x-ndjson' }

const bothPaths = proxies.flatMap((name) => ['', '/sekali'].map((prefix) => ({ name, prefix })))

test.each(bothPaths)(
  'an event gets to a tail at once through $name, under "$prefix/"',
  async ({ name, prefix }) => {
    await using own = await behind(name)
    await using _consumer = startApp('consumer/src/main.ts', own.env)
    const publish = (id: string) =>
      own.open({
        method: 'POST',
        path: `${prefix}/publish`,
        headers: { ...json, Prefer: 'wait=20' },
        body: eventBody({ topic: 'orders', event_id: id }),
      })
    expect(await (await publish('first')).text()).toContain('stored')
    const tail = await own.open({
      path: `${prefix}/tail?topic=orders`,
      headers: { Accept: 'text/event-stream' },
    })
    expect(tail.status).toBe(200)
    let seen = ''
    tail.response.setEncoding('utf8').on('data', (text: string) => {
      seen += text
    })
    for (const id of ['second', 'third']) {
      expect(await (await publish(id)).text()).toContain('stored')
      // The tail stays open, so whatever holds back what it has would hold this back for good.
      await eventually(async () => expect(seen).toContain(`"event_id":"${id}"`))
    }
    tail.response.destroy()
  },
)

test.each(bothPaths)(
  'what an id has in it gets through $name as it was sent, under "$prefix/"',
  async ({ name, prefix }) => {
    await using own = await behind(name)
    await fillLog(own.store, { orders: 1 }, { payload: `'{}'` })
    const ids = ['a/b', 'a%2Fb', 'a/../b', 'ä b?c#d', '//', 'a+b']
    for (const id of ids) {
      await own.store.pool.query('UPDATE events SET event_id = $1, event_key = event_key(topic_id, $1)', [id])
      await find(id)
    }
    async function find(id: string) {
      const answer = await own.open({ path: `${prefix}/events/orders/${encodeURIComponent(id)}` })
      expect(JSON.parse(await answer.text()), id).toMatchObject({ event_id: id })
    }
  },
)

test.each(proxies)('lines of 60 MB get through %s while they are sent', async (name) => {
  await using own = await behind(name)
  const payload = { text: 'x'.repeat(250_000) }
  const many = 240
  let [sent, bytes] = [0, 0]
  const body = Readable.from(
    (function* () {
      for (; sent < many; sent += 1) {
        const line = `${eventBody({ topic: 'large', event_id: `e${sent}`, payload })}\n`
        bytes += line.length
        yield line
      }
    })(),
  )
  const answer = await own.open({ method: 'POST', path: '/publish', headers: lines, body })
  expect(JSON.parse(await answer.text())).toMatchObject({ status: 'queued', queued: many })
  expect(bytes).toBeGreaterThan(60_000_000)
})

test.each(proxies)('lines reach the gateway through %s before their end', async (name) => {
  await using own = await behind(name)
  await using _consumer = startApp('consumer/src/main.ts', own.env)
  const body = new Readable({ read() {} })
  // Large enough not to be kept for company in some buffer of a socket.
  body.push(`${eventBody({ topic: 'early', event_id: 'one', payload: { text: 'x'.repeat(200_000) } })}\n`)
  const answered = own.open({ method: 'POST', path: '/publish', headers: lines, body })
  await eventually(async () => {
    const { rows } = await own.store.pool.query('SELECT event_id FROM events')
    expect(rows).toEqual([{ event_id: 'one' }])
  })
  body.push(null)
  expect((await answered).status).toBe(200)
})

const cli = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url))

test.each(bothPaths)('the command line reads through $name, under "$prefix/"', async ({ name, prefix }) => {
  await using own = await behind(name, {}, (site) => site.replaceAll(publicName, 'localhost'))
  await fillLog(own.store, { 'orders.eu': 3 }, { payload: `'{}'` })
  const url = `https://localhost:${own.port}${prefix}`
  const run = (env: Record<string, string>) =>
    promisify(execFile)(process.execPath, [cli, 'replay', 'orders.>', '--url', url], { env })
  const { stdout } = await run({ NODE_EXTRA_CA_CERTS: own.ca })
  expect(stdout.trimEnd().split('\n').length).toBe(3)
  await expect(run({})).rejects.toThrow(/certificate/)
})

test.each(bothPaths)(
  'a browser logs in and out through $name, under "$prefix/", with a cookie for TLS alone',
  async ({ name, prefix }) => {
    await using own = await behind(name, { SEKALI_AUTH: 'keys' })
    const made = await createFirstKey(own.store, { replace: false, actor: 'test' })
    const key = typeof made === 'string' ? made : made.text
    const path = `${prefix}/session`
    const begun = await own.open({ method: 'POST', path, headers: { Authorization: `Bearer ${key}` } })
    expect(begun.status).toBe(201)
    const [set = ''] = begun.response.headers['set-cookie'] ?? []
    expect(set).toMatch(/^sekali_session=[\w.-]+; HttpOnly; SameSite=Strict; Max-Age=\d+; Secure$/)
    const Cookie = set.split(';', 1)[0] ?? ''
    expect((await own.open({ path: `${prefix}/events`, headers: { Cookie } })).status).toBe(200)
    const leave = (Origin: string) => own.open({ method: 'DELETE', path, headers: { Cookie, Origin } })
    expect((await leave('https://elsewhere.example.com')).status).toBe(403)
    expect((await leave(`https://${publicName}`)).status).toBe(200)
    expect((await own.open({ path: `${prefix}/events`, headers: { Cookie } })).status).toBe(401)
  },
)
