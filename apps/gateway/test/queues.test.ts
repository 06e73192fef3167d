import { setImmediate as nextPass } from 'node:timers/promises'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { createClients } from '../src/clients/clients.ts'
import { createQueues } from '../src/clients/queues.ts'

/** Begins works that end when they are told to; says which are under way. */
function createWorks(atOnceMax: number, trialMs = 0) {
  const queues = createQueues(() => atOnceMax, { trialMs })
  const underWay = new Map<string, () => void>()
  return {
    underWay: () => [...underWay.keys()],
    begin: (client: string, name: string, outcome: () => string = () => name) =>
      queues.run(client, async () => {
        const { promise, resolve } = Promise.withResolvers<void>()
        underWay.set(name, resolve)
        await promise
        underWay.delete(name)
        return outcome()
      }),
    end: (name: string) => underWay.get(name)?.(),
  }
}

test('beyond a few, works of a client are done one after the other, and nobody else waits for them', async () => {
  const works = createWorks(2)
  const names = ['a1', 'a2', 'a3', 'a4', 'a5']
  const done = names.map((name) => works.begin('a', name))
  const other = works.begin('b', 'b1')
  await eventually(() => expect(works.underWay().sort()).toEqual(['a1', 'a2', 'a3', 'b1']))
  for (const [over, next] of [
    ['a3', 'a4'],
    ['a4', 'a5'],
  ] as const) {
    works.end(over)
    await eventually(() => expect(works.underWay().sort()).toEqual(['a1', 'a2', next, 'b1']))
  }
  for (const name of works.underWay()) works.end(name)
  expect(await Promise.all([...done, other])).toEqual([...names, 'b1'])
})

test('a client that has few works left does them at once again', async () => {
  const works = createWorks(2)
  const names = ['a1', 'a2', 'a3', 'a4', 'a5']
  const done = names.map((name) => works.begin('a', name))
  await eventually(() => expect(works.underWay()).toEqual(['a1', 'a2', 'a3']))
  for (const name of ['a1', 'a2', 'a3']) works.end(name)
  // Though the one that ran by itself is followed by a rest.
  await Promise.all(done.slice(0, 3))
  await eventually(() => expect(works.underWay()).toEqual(['a4', 'a5']))
  for (const name of ['a4', 'a5']) works.end(name)
  expect(await Promise.all(done)).toEqual(names)
})

test('what has only just become too many is done a few at once, as ever', async () => {
  const works = createWorks(2, 600_000)
  const names = ['a1', 'a2', 'a3', 'a4', 'a5']
  const done = names.map((name) => works.begin('a', name))
  for (const [first, second] of [
    ['a1', 'a2'],
    ['a3', 'a4'],
  ] as const) {
    await eventually(() => expect(works.underWay()).toEqual([first, second]))
    works.end(first)
    works.end(second)
  }
  await eventually(() => expect(works.underWay()).toEqual(['a5']))
  works.end('a5')
  expect(await Promise.all(done)).toEqual(names)
})

/** A time that passes only when nothing is left to do at its moment. */
function createTime() {
  const waiting: { readonly at: number; readonly go: () => void }[] = []
  let time = 0
  const pause = (ms: number) => new Promise<void>((go) => waiting.push({ at: time + ms, go }))
  const runUntil = async (end: number) => {
    for (;;) {
      await nextPass()
      const next = waiting.toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined || next.at > end) return
      waiting.splice(waiting.indexOf(next), 1)
      time = next.at
      next.go()
    }
  }
  return { now: () => time, pause, runUntil }
}

test.each([900, 1_100, 1_500, 3_000])(
  'who asks steadily is served as before soon after a stall of %i ms',
  async (stallMs) => {
    const { now, pause, runUntil } = createTime()
    const queues = createQueues(() => 3, { now, rest: pause })
    const waits: number[] = []
    const ask = async () => {
      const from = now()
      await queues.run('a', async () => {
        const until = now() > 1_000 && now() < 1_000 + stallMs ? 1_000 + stallMs : now()
        await pause(until - now() + 45)
      })
      if (from > 1_000 + stallMs + 5_000) waits.push(now() - from)
    }
    const asking = async () => {
      for (;;) {
        void ask()
        await pause(40)
      }
    }
    void asking()
    await runUntil(1_000 + stallMs + 10_000)
    expect(waits.length).toBeGreaterThan(100)
    expect(Math.max(...waits)).toBeLessThan(200)
  },
)

test('of a flood most runs one by one', async () => {
  const { now, pause, runUntil } = createTime()
  const queues = createQueues(() => 3, { now, rest: pause })
  let done = 0
  const flood = async () => {
    for (;;) {
      await queues.run('a', () => pause(30))
      done += 1
    }
  }
  for (let n = 0; n < 100; n += 1) void flood()
  await runUntil(60_000)
  // Three at once would be 6,000, and one by one with its rests 1,333.
  expect(done).toBeGreaterThan(1_333)
  expect(done).toBeLessThan(2_600)
})

test('a work that fails does not hold up those behind it', async () => {
  const works = createWorks(1)
  const first = works.begin('a', 'first')
  const failing = works.begin('a', 'failing', () => {
    throw new Error('it failed')
  })
  const last = works.begin('a', 'last')
  await eventually(() => expect(works.underWay()).toEqual(['first', 'failing']))
  works.end('failing')
  await expect(failing).rejects.toThrow('it failed')
  await eventually(() => expect(works.underWay()).toEqual(['first', 'last']))
  for (const name of works.underWay()) works.end(name)
  expect(await Promise.all([first, last])).toEqual(['first', 'last'])
})

test('the requests of the last second decide whether there are several clients', () => {
  const clients = createClients()
  const from = (remoteAddress: string) =>
    clients.of({ socket: { remoteAddress }, headers: {} } as Parameters<typeof clients.of>[0])
  expect(clients.areSeveral()).toBe(false)
  for (let n = 0; n < 3; n++) from('127.0.0.1')
  expect(clients.areSeveral()).toBe(false)
  from('127.0.0.2')
  expect(clients.areSeveral()).toBe(true)
})
