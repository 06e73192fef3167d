/** What people see of definitions that do not load, and why a projection cannot be dropped yet. */
import { reportNotLoaded } from '@sekali/store/not-loaded'
import { registerProjection } from '@sekali/store/register-projection'
import { ownPrefix, ownStore } from '@sekali/testkit/own'
import { expect, inject, test } from 'vitest'
import { createGateway, diagnose } from './gateway.ts'

async function ownGateway() {
  const store = await ownStore()
  const config = { redisUrl: inject('redisUrl'), databaseUrl: store.url, prefix: ownPrefix() }
  const gateway = createGateway(config)
  const register = (name: string) =>
    registerProjection(store, {
      ...{ name, version: 1, hash: 'h', topics: ['orders'], topicRegex: /^orders$/ },
      ...{ keyed: false, initial: '0' },
    })
  return {
    store,
    gateway,
    register,
    get: async (path: string) => await gateway.app.request(path),
    [Symbol.asyncDispose]: async () => {
      await gateway[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

test('a file that does not load is listed after the projections and found by the doctor, until it is mended', async () => {
  await using own = await ownGateway()
  await own.register('good')
  const finding = async () => {
    const { findings } = await diagnose(own.gateway)
    return findings.find(({ check }) => check === 'definitions.loaded')
  }
  expect(await finding()).toMatchObject({ level: 'ok' })
  await reportNotLoaded(own.store, 'one', [
    { file: 'syntax.ts', line: 3, message: 'SyntaxError: secret' },
    { file: 'none.ts', line: null, message: 'it exports no projection' },
  ])
  const list = await (await own.get('/projections')).json()
  const empty = { version: 0, status: 'not_loaded', keyed: false, as_of: null, lag: 0 }
  expect(list).toEqual([
    expect.objectContaining({ name: 'good', status: 'building' }),
    { name: 'none.ts', ...empty, error: { file: 'none.ts', message: 'it exports no projection' } },
    { name: 'syntax.ts', ...empty, error: { file: 'syntax.ts', line: 3, message: 'SyntaxError: secret' } },
  ])
  expect((await own.get('/projections/syntax.ts')).status).toBe(404)
  expect(await finding()).toMatchObject({
    level: 'problem',
    message: 'files of definitions do not load: none.ts, syntax.ts line 3',
    remedy: expect.stringMatching(/sekali projection list shows why.*read again by itself/),
  })
  await reportNotLoaded(own.store, 'one', [])
  expect(await (await own.get('/projections')).json()).toHaveLength(1)
  expect(await finding()).toMatchObject({ level: 'ok' })
})

test('whoever drops a projection too early is told why, and when it can be dropped', async () => {
  await using own = await ownGateway()
  await own.register('gone')
  await own.store.pool.query("UPDATE projections.announcements SET announced_at = now() - interval '22.5 s'")
  const drop = () => own.gateway.app.request('/projections/gone', { method: 'DELETE' })
  const refused = await drop()
  expect(refused.status).toBe(409)
  const seconds = Number(refused.headers.get('retry-after'))
  expect([37, 38]).toContain(seconds)
  expect(await refused.json()).toMatchObject({
    code: 'projection_in_use',
    detail: expect.stringMatching(
      new RegExp(`A projector folds it, or did 22 s ago.*dropped 60 s after.*in ${seconds} s`),
    ),
  })
  await own.store.pool.query("UPDATE projections.announcements SET announced_at = now() - interval '61 s'")
  expect((await drop()).status).toBe(200)
  expect((await drop()).status).toBe(404)
})
