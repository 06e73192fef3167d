/** Subscriptions on a primary whose commits wait for its standby, which goes away, and then is all that is left. */
import { eventually } from '@sekali/testkit/eventually'
import { quiet } from '@sekali/testkit/quiet'
import { ownReplicated } from '@sekali/testkit/replicated'
import { expect, test } from 'vitest'
import { connectStore, type Store } from '../src/postgres/connect.ts'
import { putSubscription } from '../src/subscriptions/put.ts'
import { add, by, configOf, get, say, statusOf, tokensOf } from '../test/subscriptions.ts'

const connect = (url: string) => connectStore({ url, poolMax: 4, name: 'test', connectMs: 10_000 }, quiet)

/** How many sessions wait for the standby in the COMMIT of such a call. */
const waitingFor = async ({ pool }: Store, called: string): Promise<number> => {
  const { rows } = await pool.query<{ waiting: number }>(
    `SELECT count(*)::integer AS waiting FROM pg_stat_activity
     WHERE wait_event = 'SyncRep' AND strpos(query, 'subscriptions.' || $1 || '(') > 0`,
    [called],
  )
  return rows[0]?.waiting ?? 0
}

test('no worker is told what a standby that confirms has not got, and a failover takes back nothing it was told', async () => {
  await using pair = await ownReplicated({ synchronous: true })
  await using primary = connect(pair.primary.url)
  await add(primary, 'orders', 4)
  await putSubscription(primary, configOf(), by)
  await putSubscription(primary, configOf({ name: 'other' }), by)
  const held = await get(primary, 2)
  expect(await say(primary, 'ack', tokensOf(held).slice(0, 1))).toEqual(['done'])

  await pair.lag()
  const told: unknown[] = []
  const tell = (what: unknown) => void told.push(what)
  const noneWasTold = [
    expect(say(primary, 'ack', tokensOf(held).slice(1)).then(tell)).rejects.toThrow(),
    expect(get(primary, 2, { name: 'other' }).then(tell)).rejects.toThrow(),
  ]
  await eventually(async () => {
    expect(await waitingFor(primary, 'settle')).toBe(1)
    expect(await waitingFor(primary, 'pull')).toBe(1)
  })
  await pair.primary.kill()
  await Promise.all(noneWasTold)
  expect(told).toEqual([])

  await pair.promote()
  await using standby = connect(pair.standby.url)
  await eventually(async () => expect(await statusOf(standby)).toMatchObject({ outstanding: 1, lag: 3 }))
  expect(await statusOf(standby, 'other')).toMatchObject({ outstanding: 0, lag: 4 })
  await eventually(async () =>
    expect(await say(standby, 'ack', tokensOf(held))).toEqual(['already_settled', 'done']),
  )
})
