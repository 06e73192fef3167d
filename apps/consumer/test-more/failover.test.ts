/** A primary of PostgreSQL dies, and its standby is promoted. The drills run on two servers of their own. */

import { connectStore } from '@sekali/store/connect'
import { OldPrimary } from '@sekali/store/errors'
import { readLineage } from '@sekali/store/lineage'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { ownPgBouncer } from '@sekali/testkit/pgbouncer'
import { quiet } from '@sekali/testkit/quiet'
import { ownReplicated } from '@sekali/testkit/replicated'
import { expect, test } from 'vitest'
import { idsOf, numbered, type OwnStack, stackOn, storeAll } from '../test/stack.ts'

const connect = (url: string) =>
  Object.assign(connectStore({ url, poolMax: 3, name: 'test', connectMs: 10_000 }, quiet), { url })

/** Appends events until `until` resolves, some at a time. Returns how many. */
async function appendUntil(stack: OwnStack, until: Promise<unknown>, from = 1): Promise<number> {
  let isOver = false
  const end = () => {
    isOver = true
  }
  until.then(end, end)
  let count = 0
  while (!isOver) {
    await stack.append(numbered(20, from + count))
    count += 20
  }
  return count
}

const storedAtLeast = (stack: OwnStack, count: number) =>
  eventually(async () => expect((await stack.figures())?.stored).toBeGreaterThanOrEqual(count), 30_000)

test('a primary is killed under load, its standby takes over, and the old one comes back as if nothing had been [P1] [P4] [P5] [P6] [P7] [P9]', async () => {
  await using pair = await ownReplicated({ synchronous: true })
  await using stack = await stackOn(connect(pair.url))
  const one = stack.consumer('one')
  await using two = stack.consumer('two')
  const failover = (async () => {
    await storedAtLeast(stack, 1_000)
    await pair.primary.kill()
    await pair.promote()
    const taken = Number((await stack.figures())?.stored)
    await storedAtLeast(stack, taken + 1_000)
  })()
  let count = await appendUntil(stack, failover)
  await failover
  expect(await stack.settled()).toMatchObject({
    stored: count,
    duplicates: 0,
    conflicts: 0,
    dead: 0,
    lost: 0,
  })

  // Nobody stopped the old primary. One consumer knows nothing else, another one comes to it first.
  await pair.primary.start()
  await using old = connect(pair.primary.url)
  const heads = async () => (await old.pool.query('SELECT name, head FROM topics ORDER BY name')).rows
  const before = await heads()
  await using lonely = stack.consumer('lonely', { DATABASE_URL: pair.primary.url })
  const newcomer = stack.consumer('newcomer')
  await one[Symbol.asyncDispose]()
  two.signal('SIGTERM')
  await two.exited
  const more = (async () => {
    const stored = Number((await stack.figures())?.stored)
    await storedAtLeast(stack, stored + 1_000)
    for (const consumer of [lonely, newcomer]) {
      await eventually(() => expect(consumer.output()).toContain('OLD_PRIMARY'))
    }
  })()
  count += await appendUntil(stack, more, count + 1)
  await more
  expect(await stack.settled()).toMatchObject({
    stored: count,
    duplicates: 0,
    conflicts: 0,
    dead: 0,
    lost: 0,
  })
  expect(idsOf(await stack.log())).toEqual(idsOf(numbered(count)))
  expect(await heads()).toEqual(before)
  await newcomer[Symbol.asyncDispose]()
})

test('the fence holds for each turn: a connection that was made to the new primary may lead to the old one [P1]', async () => {
  await requireDebian('pgbouncer')
  await using pair = await ownReplicated()
  await pair.primary.kill()
  await pair.promote()
  await using pooler = await ownPgBouncer(pair.standby.url, { mode: 'transaction' })
  await using stack = await stackOn(connect(pooler.url))
  await stack.append(numbered(3))
  expect(await storeAll(stack)).toMatchObject({ stored: 3 })
  const newest = (await readLineage(stack.store))?.timeline ?? 0
  await pair.primary.start()
  await pooler.moveTo(pair.primary.url)
  await eventually(async () => expect((await readLineage(stack.store))?.timeline).toBe(newest - 1))
  await stack.append(numbered(3, 4))
  await expect(storeAll(stack)).rejects.toThrow(OldPrimary)
  await pooler.moveTo(pair.standby.url)
  await eventually(async () => expect((await readLineage(stack.store))?.timeline).toBe(newest))
  expect(await storeAll(stack)).toMatchObject({ stored: 6, lost: 0 })
})
