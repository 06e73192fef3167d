import { readConsumers } from '@sekali/broker/presence'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { idsOf, numbered, ownStack, streamOf } from './stack.ts'

for (const point of ['locked', 'read', 'inserted', 'accounted', 'committed']) {
  test(`a consumer killed when it has ${point} leaves nothing lost, doubled or counted twice [P2] [P3] [P4] [P7]`, async () => {
    await using stack = await ownStack()
    await using victim = stack.consumer('victim', { CONSUMER_FAILPOINT: point })
    await stack.append(numbered(50))
    expect(await victim.exited).toBe('SIGKILL')
    // Nothing is acknowledged before the turn is over: not even of what it has read.
    expect(await stack.pending()).toBe(point === 'locked' ? 0 : await stack.packs())
    await stack.append(numbered(50, 51))
    await using _heir = stack.consumer('heir')
    expect(await stack.settled()).toMatchObject({
      stored: 100,
      duplicates: 0,
      conflicts: 0,
      dead: 0,
      lost: 0,
    })
    expect(idsOf(await stack.log())).toEqual(idsOf(numbered(100)))
  })
}

test('figures of a turn whose consumer died after COMMIT are counted, and counted once [P2] [P7]', async () => {
  await using stack = await ownStack()
  await stack.append([...numbered(20), ...numbered(20), ...numbered(3, 1, { payload: '{"other":1}' })])
  await using victim = stack.consumer('victim', { CONSUMER_FAILPOINT: 'committed' })
  await victim.exited
  await using _heir = stack.consumer('heir')
  expect(await stack.settled()).toMatchObject({ stored: 20, duplicates: 20, conflicts: 3, dead: 0, lost: 0 })
})

test('a consumer killed in the middle of a reclaim leaves a group that its heir puts right [P3] [P9]', async () => {
  await using stack = await ownStack()
  await using first = stack.consumer('first', { CONSUMER_FAILPOINT: 'read' })
  await stack.append(numbered(50))
  await first.exited
  await using second = stack.consumer('second', { CONSUMER_FAILPOINT: 'reclaiming' })
  expect(await second.exited).toBe('SIGKILL')
  await using _heir = stack.consumer('heir')
  expect(await stack.settled()).toMatchObject({ stored: 50, duplicates: 0, lost: 0 })
  expect(idsOf(await stack.log())).toEqual(idsOf(numbered(50)))
})

test('consumers killed again and again under load: the others finish, in order, exactly [P2] [P4] [P6] [P7] [P9]', async () => {
  await using stack = await ownStack()
  await using _steady = stack.consumer('steady')
  const killed: PromiseLike<void>[] = []
  const points = ['locked', 'read', 'inserted', 'accounted', 'committed']
  for (const [round, point] of points.entries()) {
    const victim = stack.consumer(`victim${round}`, { CONSUMER_FAILPOINT: `${point}:0.2` })
    await stack.append(numbered(400, 1 + round * 800))
    await stack.append(numbered(400, 401 + round * 800))
    killed.push(victim[Symbol.asyncDispose]())
  }
  await Promise.all(killed)
  expect(await stack.settled()).toMatchObject({
    stored: 4_000,
    duplicates: 0,
    conflicts: 0,
    dead: 0,
    lost: 0,
  })
  expect(idsOf(await stack.log())).toEqual(idsOf(numbered(4_000)))
})

test('a consumer that is paused in its turn loses it, and writes nothing when it wakes [P2] [P9]', async () => {
  await using stack = await ownStack()
  const ladder = { REDIS_CALL_MS: '500', STATEMENT_MS: '1000', IDLE_IN_TRANSACTION_MS: '2000' }
  await using sleeper = stack.consumer('sleeper', {
    ...ladder,
    CONSUMER_FAILPOINT: 'read:1:SIGSTOP',
  })
  await stack.append(numbered(50))
  await eventually(() => expect(sleeper.output()).toContain('failpoint'))
  await using _heir = stack.consumer('heir')
  expect(await stack.settled()).toMatchObject({ stored: 50, duplicates: 0 })
  sleeper.signal('SIGCONT')
  await eventually(() => expect(sleeper.output()).toContain('turn failed'))
  await stack.append(numbered(50, 51))
  expect(await stack.settled()).toMatchObject({ stored: 100, duplicates: 0 })
  expect(idsOf(await stack.log())).toEqual(idsOf(numbered(100)))
})

test('SIGTERM drains: the turn is finished and acknowledged, nothing is delivered again, the name is gone', async () => {
  await using stack = await ownStack()
  await using leaver = stack.consumer('leaver')
  await stack.append(numbered(500))
  await eventually(async () => expect((await stack.log()).length).toBeGreaterThan(0))
  leaver.signal('SIGTERM')
  expect(await leaver.exited).toBe(0)
  const stored = (await stack.log()).length
  const [group] = (await stack.broker.redis.xinfo('GROUPS', streamOf(stack.broker))) as unknown[][]
  expect(group).toEqual(expect.arrayContaining(['pending', 0]))
  expect(await readConsumers(stack.broker)).toEqual([])
  await using _next = stack.consumer('next')
  expect(await stack.settled()).toMatchObject({ stored: 500, duplicates: 0 })
  expect(stored).toBeGreaterThan(0)
})
