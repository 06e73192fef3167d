/**
 * Nothing is sent to where it may not go, whatever a name leads to. Only addresses of this machine are in here: what a broken guard
 * would really dial is tried in a network of the test's own, in test-more.
 */
import type { LookupAddress } from 'node:dns'
import { eventually } from '@sekali/testkit/eventually'
import { parseAllow } from '@sekali/webhook/guard'
import { expect, test } from 'vitest'
import { refusalOf } from '../src/send/connect.ts'
import { wordOf } from '../src/send/errors.ts'
import type { Resolve } from '../src/send/names.ts'
import { startReceiver } from './receiver.ts'
import { ownStack } from './stack.ts'

const leadsTo =
  (...lists: string[][]): Resolve =>
  (_hostname, then) => {
    const [list = []] = lists.length > 1 ? lists.splice(0, 1) : lists
    then(
      null,
      list.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }

test('a server on this machine sees no connection, neither by its address nor by a name', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver()
  const urls = [`http://127.0.0.1:${receiver.port}/`, `http://[::ffff:127.0.0.1]:${receiver.port}/`]
  const names = [`http://hook.example:${receiver.port}/`, `https://hook.example:${receiver.port}/`]
  for (const [n, url] of [...urls, ...names].entries()) await stack.push(`h${n}`, url, { retrySeconds: [] })
  await stack.add(1)
  await using _dispatcher = stack.dispatch({ allow: '10.0.0.0/8', resolve: leadsTo(['127.0.0.1']) })
  await eventually(async () => {
    for (let n = 0; n < urls.length + names.length; n++) {
      const [attempt] = await stack.attempts(`h${n}`)
      expect(attempt?.error).toMatch(/^blocked_address: .*\(loopback\).*WEBHOOK_ALLOW$/)
      expect(attempt).toMatchObject({ state: 'failed', status: null, response: null })
    }
  })
  expect(receiver.connections()).toBe(0)
})

test('one address among several that may not be reached is enough', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver()
  await stack.push('hook', `http://hook.example:${receiver.port}/`, { retrySeconds: [] })
  await stack.add(1)
  const resolve = leadsTo(['127.0.0.1', '169.254.169.254'])
  await using _dispatcher = stack.dispatch({ resolve })
  await eventually(async () =>
    expect((await stack.attempts())[0]?.error).toMatch(/blocked_address: .*linkLocal/),
  )
  expect(receiver.connections()).toBe(0)
})

test('a name that leads elsewhere the next time is looked at again', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver((_request, response) => {
    response.writeHead(200, { Connection: 'close' }).end()
  })
  await stack.push('hook', `http://hook.example:${receiver.port}/`, { concurrency: 1, retrySeconds: [60] })
  await stack.add(2)
  const resolve = leadsTo(['127.0.0.1'], ['169.254.169.254'])
  await using _dispatcher = stack.dispatch({ resolve })
  await eventually(async () => {
    const attempts = await stack.attempts()
    expect(attempts.map(({ state }) => state)).toEqual(['failed', 'delivered'])
    expect(attempts[0]?.error).toContain('blocked_address')
  })
  expect(receiver.connections()).toBe(1)
})

test('what is allowed is reached, http: as well, and nothing that is not', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver()
  await stack.push('name', `http://hook.example:${receiver.port}/`)
  await stack.push('literal', `http://127.0.0.1:${receiver.port}/`)
  await stack.add(1)
  await using _dispatcher = stack.dispatch({ allow: '127.0.0.1', resolve: leadsTo(['127.0.0.1']) })
  await eventually(() => expect(receiver.received).toHaveLength(2))
})

test('an endpoint that is denied costs attempts at its steps, and no more', async () => {
  await using stack = await ownStack()
  await stack.push('hook', 'https://127.0.0.1:9/', { retrySeconds: [3_600] })
  await stack.add(1_000)
  await using dispatcher = stack.dispatch({ allow: '' })
  await eventually(async () => expect(await stack.endpoint()).toMatchObject({ state: 'degraded' }))
  await dispatcher.stop()
  // It began with one at a time, and was left alone after the fifth.
  const attempts = await stack.attempts()
  expect(attempts.length).toBeLessThanOrEqual(6)
  expect(await stack.status()).toMatchObject({ dead: 0, lag: 1_000 })
})

test('a socket that was closed at once is a connection that was lost, and not an address that is denied', () => {
  const wordFor = (remoteAddress?: string) =>
    wordOf(refusalOf({ remoteAddress }, parseAllow('127.0.0.1'), false))
  expect(wordFor()).toBe('connection_lost')
  expect(wordFor('169.254.169.254')).toMatch(/^blocked_address/)
  expect(refusalOf({ remoteAddress: '127.0.0.1' }, parseAllow('127.0.0.1'), false)).toBeUndefined()
})
