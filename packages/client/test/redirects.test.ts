import { expect, test } from 'vitest'
import { createClient } from '../src/client.ts'
import { json, startPeer } from './peer.ts'
import { all, event, failureOf, fast } from './sample.ts'

const queued = json(200, { status: 'queued', event_id: 'order-1', queued: 1 })

test.each([301, 302, 303, 307, 308])(
  'a %i is not followed: it is an error that names its target',
  async (status) => {
    await using other = await startPeer(queued)
    const target = `${other.url}/elsewhere`
    await using peer = await startPeer(json(status, {}, { location: `${target}?key=secret` }))
    const headers = { 'x-api-key': 'secret' }
    const client = createClient({ baseUrl: peer.url, retry: fast, token: 'secret', headers })
    const calls = [
      () => client.publish(event(1)),
      () => client.events(),
      () => all(client.replay({ topic: 'order' })),
      () => client.dropTopic('order'),
      () => client.waitUntilReady(),
    ]
    for (const call of calls) {
      const error = await failureOf(call())
      expect(error).toMatchObject({ name: 'Refused', code: 'redirected', status, retryable: false })
      expect(error).toMatchObject({
        message: expect.stringContaining(`answered ${status} redirected: to ${target},`),
      })
      expect(String(error)).not.toContain('secret')
    }
    expect(other.received).toEqual([])
    expect(peer.received).toHaveLength(calls.length)
  },
)

test('a target is told from where it was named, and one that is no URL is not', async () => {
  for (const [location, words] of [
    ['/log/publish', 'to http://127.0.0.1:'],
    ['http://[', 'to somewhere else'],
  ] as const) {
    await using peer = await startPeer(json(308, {}, { location }))
    const error = await failureOf(createClient({ baseUrl: peer.url, retry: fast }).publish(event(1)))
    expect(error).toMatchObject({ code: 'redirected', message: expect.stringContaining(words) })
  }
})

test('in a page, which does not learn the target, a redirect is the same error', async () => {
  const fetch = async () => ({ status: 0, headers: new Headers(), text: async () => '' })
  const client = createClient({ baseUrl: 'http://127.0.0.1:9', retry: fast, fetch })
  expect(await failureOf(client.publish(event(1)))).toMatchObject({ code: 'redirected', retryable: false })
})
