/** Work that takes long gives way to all other. */
import { expect, test } from 'vitest'
import { createTimeSlices } from '../src/clients/time-slices.ts'

/** Work of so many portions of half a millisecond. */
function* portions(count: number, onPortion: () => void): Generator<undefined, number> {
  for (let done = 0; done < count; done++) {
    for (const end = performance.now() + 0.5; performance.now() < end; );
    onPortion()
    yield
  }
  return count
}

test('clients alternate, so who has little to do does not wait for who has much', async () => {
  const timeSlices = createTimeSlices()
  let long = 0
  const much = Array.from({ length: 5 }, () =>
    timeSlices.run(
      'greedy',
      portions(40, () => long++),
    ),
  )
  let before = 0
  const little = timeSlices
    .run(
      'modest',
      portions(5, () => {}),
    )
    .then(() => {
      before = long
    })
  expect(await Promise.all(much)).toEqual([40, 40, 40, 40, 40])
  await little
  expect(before).toBeLessThan(20)
})

test('between a few milliseconds of work the event loop goes round', async () => {
  const timeSlices = createTimeSlices()
  let rounds = 0
  const tick = () => {
    rounds++
    ticking = setImmediate(tick)
  }
  let ticking = setImmediate(tick)
  await Promise.all(
    ['a', 'b', 'c'].map((client) =>
      timeSlices.run(
        client,
        portions(20, () => {}),
      ),
    ),
  )
  clearImmediate(ticking)
  expect(rounds).toBeGreaterThanOrEqual(10)
})

test('work that fails rejects, and what waits behind it is done', async () => {
  const timeSlices = createTimeSlices()
  const failing = timeSlices.run(
    'a',
    portions(3, () => {
      throw new Error('broken')
    }),
  )
  const next = timeSlices.run(
    'a',
    portions(2, () => {}),
  )
  await expect(failing).rejects.toThrow('broken')
  expect(await next).toBe(2)
})
