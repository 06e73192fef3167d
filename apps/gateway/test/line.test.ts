/** The line of those who pull from one subscription: who gets what, and how often PostgreSQL is asked. */
import { StoreUnavailable } from '@sekali/core/errors'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { dry, one, ownLine } from './own-line.ts'

test('what is due after a pull that brought something is looked at as well', async () => {
  await using own = ownLine()
  const waits = [own.join(30), own.join(30), own.join(30), own.join(30)]
  // Nothing is known yet of what is due, so the second in line asks at once.
  expect(await own.answer(1, one(1))).toBe('w1')
  expect(await own.answer(2, dry({ nextDueInMs: 80 }))).toBe('w2')
  own.line.kick()
  expect(await own.answer(3, one(2))).toBe('w2')
  // The retry that was due in 80 ms.
  expect(await own.answer(4, one(3, { leaseSeconds: 0.06 }))).toBe('w3')
  // The lease of what was handed out.
  expect(await own.answer(5, one(4))).toBe('w4')
  await Promise.all(waits)
})

test('a thousand wait, and one event is one pull and goes to the first of them', async () => {
  await using own = ownLine()
  const served: number[] = []
  const all = Array.from({ length: 1_000 }, async (_, index) => {
    const { outcome } = await own.join(30)
    if (outcome === 'pulled') served.push(index)
    return outcome
  })
  await own.answer(1, dry())
  own.line.kick()
  expect(await own.answer(2, one(1))).toBe('w1')
  await eventually(() => expect(served).toEqual([0]))
  expect(own.asked()).toBe(2)
  own.line.end()
  expect(new Set(await Promise.all(all))).toEqual(new Set(['pulled', 'nothing']))
  expect(own.asked()).toBe(2)
})

test('as long as there is more, the next in line gets it', async () => {
  await using own = ownLine()
  const places = [own.join(30), own.join(30), own.join(30)]
  expect(await own.answer(1, one(1, { more: true }))).toBe('w1')
  expect(await own.answer(2, one(2, { more: true }))).toBe('w2')
  expect(await own.answer(3, one(3))).toBe('w3')
  const grants = (await Promise.all(places)).map((one) => 'pulled' in one && one.pulled.grant)
  expect(grants).toEqual(['g1', 'g2', 'g3'])
})

test('one pull that finds nothing answers all who do not wait and came before it', async () => {
  await using own = ownLine()
  const first = own.join(0)
  await eventually(() => expect(own.asked()).toBe(1))
  const later = [own.join(0), own.join(0), own.join(0)]
  await own.answer(1, dry())
  expect(await first).toEqual({ outcome: 'nothing', blockedBy: [] })
  await own.answer(2, dry({ blockedBy: [{ topic: 'orders' as never, source: 'a' }] }))
  for (const one of await Promise.all(later)) {
    expect(one).toEqual({ outcome: 'nothing', blockedBy: [{ topic: 'orders', source: 'a' }] })
  }
  expect(own.asked()).toBe(2)
})

test('what comes while a pull is under way is looked for after it', async () => {
  await using own = ownLine()
  const place = own.join(30)
  await eventually(() => expect(own.asked()).toBe(1))
  own.line.kick()
  await own.answer(1, dry())
  await own.answer(2, one(1))
  expect(await place).toMatchObject({ outcome: 'pulled' })
})

test('whoever comes to a dry line asks nobody; whoever comes to an empty one does', async () => {
  await using own = ownLine()
  const left = new AbortController()
  const first = own.join(30, { signal: left.signal })
  await own.answer(1, dry())
  const second = own.join(30)
  left.abort()
  expect(await first).toEqual({ outcome: 'left' })
  own.line.end()
  await second
  expect(own.asked()).toBe(1)

  await using other = ownLine()
  const alone = other.join(0)
  await other.answer(1, dry())
  await alone
  const next = other.join(30)
  await other.answer(2, one(1))
  expect(await next).toMatchObject({ outcome: 'pulled' })
})

test('the next due time is looked at, and every line now and then', async () => {
  for (const [times, pulled] of [
    [{}, dry({ nextDueInMs: 60 })],
    [{ checkMs: 60 }, dry()],
    [{ checkMs: 60 }, dry({ nextDueInMs: 3_000_000 })],
  ] as const) {
    await using own = ownLine(times)
    const place = own.join(30)
    await own.answer(1, pulled)
    await own.answer(2, one(1))
    expect(await place).toMatchObject({ outcome: 'pulled' })
  }
})

test('what was pulled for whoever has left is released, and the next in line is served', async () => {
  await using own = ownLine()
  const left = new AbortController()
  const gone = own.join(30, { signal: left.signal })
  const stays = own.join(30)
  await eventually(() => expect(own.asked()).toBe(1))
  left.abort()
  expect(await gone).toEqual({ outcome: 'left' })
  await own.answer(1, one(1))
  await eventually(() => expect(own.released).toEqual(['g1']))
  own.line.kick() // as whoever releases does
  expect(await own.answer(2, one(2))).toBe('w2')
  expect(await stays).toMatchObject({ outcome: 'pulled', pulled: { grant: 'g2' } })
  expect(await own.join(30, { signal: left.signal })).toEqual({ outcome: 'left' })
})

test('PostgreSQL that is away fails all who are in line; too many of one client fail it alone', async () => {
  await using own = ownLine()
  const away = [own.join(30), own.join(0), own.join(30)].map((place) => place.catch((error) => error.code))
  await own.answer(1, new StoreUnavailable('away'))
  expect(await Promise.all(away)).toEqual(['store_unavailable', 'store_unavailable', 'store_unavailable'])
  const flooding = own.join(30, { inShare: () => Promise.reject(new Error('too many')) })
  const other = own.join(30)
  await expect(flooding).rejects.toThrow('too many')
  await own.answer(2, one(1))
  expect(await other).toMatchObject({ outcome: 'pulled' })
})

test('a subscription that is paused, or gone, is so for all who are in line', async () => {
  for (const outcome of ['paused', 'unknown'] as const) {
    await using own = ownLine()
    const all = [own.join(30), own.join(0)]
    await own.answer(1, outcome)
    expect(await Promise.all(all)).toEqual([{ outcome }, { outcome }])
  }
})

test('a filter that passes over much is looked through for a while, also for who does not wait', async () => {
  await using own = ownLine({ scanMs: 100 })
  const place = own.join(0)
  for (let n = 1; n <= 3; n++) await own.answer(n, dry({ more: true }))
  await own.answer(4, one(1))
  expect(await place).toMatchObject({ outcome: 'pulled' })
  let asked = 4
  let isOver = false
  const short = own.join(0).finally(() => {
    isOver = true
  })
  while (!isOver) {
    await own.answer(++asked, dry({ more: true }))
    await eventually(() => expect(isOver || own.asked() > asked).toBe(true))
  }
  expect(await short).toMatchObject({ outcome: 'nothing' })
})

test('whose time is up while a pull is under way for them gets what it brings', async () => {
  for (const waitSeconds of [0, 0.03]) {
    await using own = ownLine({ scanMs: 10 })
    const place = own.join(waitSeconds)
    const other = own.join(0.03)
    await eventually(() => expect(own.asked()).toBe(1))
    expect(await other).toMatchObject({ outcome: 'nothing' })
    await own.answer(1, one(1))
    expect(await place).toMatchObject({ outcome: 'pulled', pulled: { grant: 'g1' } })
    expect(own.released).toEqual([])
  }
})

test('a process that leaves answers all, and releases what comes too late', async () => {
  await using own = ownLine()
  const all = [own.join(30), own.join(30)]
  await eventually(() => expect(own.asked()).toBe(1))
  own.line.end()
  expect(await Promise.all(all)).toEqual([
    { outcome: 'nothing', blockedBy: [] },
    { outcome: 'nothing', blockedBy: [] },
  ])
  await own.answer(1, one(1))
  await eventually(() => expect(own.released).toEqual(['g1']))
  expect(await own.join(30)).toEqual({ outcome: 'nothing', blockedBy: [] })
})

test('a line that nobody is in for a while is closed by whoever opened it', async () => {
  await using own = ownLine({ lingerMs: 30 })
  const place = own.join(0)
  await own.answer(1, dry())
  await place
  await eventually(() => expect(own.idles()).toBe(1))
})
