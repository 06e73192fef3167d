import { expect, test } from 'vitest'
import type { Fault } from '../src/fault.ts'
import { schedule } from '../src/inject/schedule.ts'
import { createRandom } from '../src/random.ts'

const faults = ['a', 'b', 'c', 'd', 'e'].map(
  (name): Fault => ({ name, about: '', needs: [], run: async () => {} }),
)

test('every fault comes so often and no more, and one that could not be injected comes until it was', () => {
  const times = new Map(faults.map(({ name }) => [name, 0]))
  let missed = 0
  const isWanted = ({ name }: Fault) => (times.get(name) ?? 0) < 20
  for (const { faults: now } of schedule(faults, createRandom(1, 'schedule'), isWanted)) {
    for (const { name } of now) {
      if (name === 'c' && missed++ < 7) continue
      times.set(name, (times.get(name) ?? 0) + 1)
    }
    const counts = [...times].flatMap(([name, count]) => (name === 'c' ? [] : [count]))
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
  }
  expect([...times.values()]).toEqual(faults.map(() => 20))
})
