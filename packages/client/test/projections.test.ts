import { expect, test } from 'vitest'
import { createClient } from '../src/client.ts'
import { json, resets, startPeer } from './peer.ts'
import { failureOf, fast } from './sample.ts'

test('projections are listed, read by key and begun anew', async () => {
  const info = { name: 'per minute', version: 1, status: 'live', as_of: { order: 3 }, lag: 0 }
  await using peer = await startPeer(
    json(200, [info]),
    json(200, { ...info, keys: [{ key: 'a', state: 1 }], next: 'a' }),
    json(200, { name: 'per minute', key: 'a/b', state: 1, as_of: {} }),
    json(202, { status: 'building' }),
    json(200, { status: 'dropped' }),
    resets,
    json(404, { code: 'unknown_projection' }),
  )
  const client = createClient({ baseUrl: peer.url, retry: fast })
  expect(await client.projections({ asOf: true })).toEqual([info])
  expect(await client.projection('per minute', { limit: 1 }, { asOf: false })).toMatchObject({ next: 'a' })
  expect(await client.projectionKey('per minute', 'a/b')).toMatchObject({ state: 1 })
  await client.rebuildProjection('per minute')
  await client.dropProjection('per minute')
  await client.dropProjection('answer lost')
  expect(await failureOf(client.dropProjection('none'))).toMatchObject({ code: 'unknown_projection' })
  expect(peer.received.map(({ method, url }) => `${method} ${url}`)).toEqual([
    'GET /projections?as_of=true',
    'GET /projections/per%20minute?limit=1&as_of=false',
    'GET /projections/per%20minute?key=a%2Fb',
    'POST /projections/per%20minute/rebuild',
    'DELETE /projections/per%20minute',
    'DELETE /projections/answer%20lost',
    'DELETE /projections/answer%20lost',
    'DELETE /projections/none',
  ])
})
