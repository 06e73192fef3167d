import { registerProjection } from '@sekali/store/register-projection'
import { ownPrefix, ownStore } from '@sekali/testkit/own'
import { event } from '@sekali/testkit/sample'
import { storeEvents } from '@sekali/testkit/store-events'
import { expect, inject, test } from 'vitest'
import { createGateway, diagnose } from './gateway.ts'

test('projections that stand still are found, stuck, forgotten, or far behind, and their ETags change', async () => {
  await using store = await ownStore()
  await using gateway = createGateway({
    redisUrl: inject('redisUrl'),
    databaseUrl: store.url,
    prefix: ownPrefix(),
  })
  const look = async () => {
    const { findings } = await diagnose(gateway)
    return findings.filter(({ check }) => check.startsWith('projections'))
  }
  await storeEvents(store, [event()])
  for (const name of ['forgotten', 'late', 'stuck', 'well']) {
    const topics = { topics: ['orders'], topicRegex: name === 'well' ? /^others$/ : /^orders$/ }
    const keyed = name === 'forgotten'
    await registerProjection(store, { name, version: 1, hash: 'h', ...topics, keyed, initial: '0' })
  }
  await store.pool.query(`UPDATE projections.generations SET stage = 'live'`)
  expect(
    (await look()).map(({ level }) => level),
    'all of them have a moment',
  ).toEqual(['ok', 'ok', 'ok', 'ok'])
  const show = async (name: string, etag = '') => {
    const headers = { 'If-None-Match': etag }
    const response = await gateway.app.request(`/projections/${name}`, { headers })
    const { status = '' } = response.status === 200 ? ((await response.json()) as { status: string }) : {}
    return { code: response.status, status, etag: response.headers.get('etag') ?? '' }
  }
  const live = await Promise.all(['forgotten', 'stuck'].map((name) => show(name)))
  expect(live).toMatchObject([{ status: 'live' }, { status: 'live' }])
  const [etag = '', etagOfStuck = ''] = live.map(({ etag }) => etag)
  expect([await show('forgotten', etag), await show('stuck', etagOfStuck)]).toMatchObject([
    { code: 304 },
    { code: 304 },
  ])

  await registerProjection(store, {
    ...{ name: 'stuck', version: 2, hash: 'h', topics: ['orders'], topicRegex: /^orders$/ },
    ...{ keyed: false, initial: '0' },
  })
  await store.pool.query(`
    UPDATE events SET stored_at = now() - interval '42 s';
    UPDATE projections.announcements SET announced_at = now() - interval '61 s' WHERE name = 'forgotten';
    UPDATE projections.generations SET failed_topic = 'orders', failed_seq = version, failed_event_id = 'e',
      failed_message = 'secret' WHERE name IN ('stuck', 'forgotten');
    UPDATE projections.generations SET skipped = 1234, skipped_topic = 'orders', skipped_seq = 1,
      skipped_event_id = 'e', skipped_message = 'secret' WHERE name = 'late'`)
  const found = await look()
  expect(found).toMatchObject([
    {
      check: 'projections.failed',
      level: 'problem',
      message:
        'stopped at an event that cannot be folded: stuck at orders seq 1, the rebuild of stuck at orders seq 2',
      remedy: expect.stringContaining('projection rebuild'),
    },
    {
      check: 'projections.skipped',
      level: 'warning',
      message: 'events could not be folded and are left out: late 1,234, the last at orders seq 1',
      remedy: expect.stringContaining('projection list'),
    },
    {
      check: 'projections.orphaned',
      level: 'warning',
      message: expect.stringMatching(/ forgotten: /),
      remedy: expect.stringContaining('projection drop'),
    },
    {
      check: 'projections.lag',
      level: 'warning',
      message: expect.stringMatching(/^events wait to be folded: late has 1, the oldest stored 4\d s ago$/),
      remedy: expect.stringContaining('logs'),
    },
  ])
  expect(JSON.stringify(found)).not.toContain('secret')
  expect([await show('forgotten', etag), await show('stuck', etagOfStuck)]).toMatchObject([
    { code: 200, status: 'orphaned' },
    { code: 200, status: 'failed' },
  ])
  const list = (await (await gateway.app.request('/projections')).json()) as { name: string }[]
  const failed = (seq: number) => ({ topic: 'orders', seq, event_id: 'e', message: 'secret' })
  expect(list.find(({ name }) => name === 'stuck')).toMatchObject({
    status: 'failed',
    error: failed(1),
    rebuild: { version: 2, status: 'failed', lag: 1, error: failed(2) },
  })
  const skipped = { count: 1_234, last: failed(1) }
  expect(list.find(({ name }) => name === 'late')).toMatchObject({ skipped })
  expect(list.find(({ name }) => name === 'well')).not.toHaveProperty('skipped')
  expect(await (await gateway.app.request('/projections/late')).json()).toMatchObject({ skipped })

  // Whoever asks while one without keys is replaced by one that has them is shown the one or the other.
  let isAsked = true
  const replacing = (async () => {
    while (isAsked)
      await store.pool.query(`UPDATE projections.generations SET keyed = NOT keyed WHERE name = 'well'`)
  })()
  const shown = new Set<string>()
  try {
    for (let time = 0; time < 100; time++) {
      const answer = await gateway.app.request('/projections/well')
      const { state, keys } = (await answer.json()) as Record<string, unknown>
      shown.add(JSON.stringify({ state, keys }))
    }
  } finally {
    isAsked = false
    await replacing
  }
  expect([...shown].sort()).toEqual(['{"keys":[]}', '{"state":0}'])
})
