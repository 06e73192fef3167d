import { expect, test } from 'vitest'
import { openBooks } from '../src/clients/books.ts'
import { bodyOf, idOf, payloadOf } from '../src/clients/content.ts'
import type { Door } from '../src/clients/door.ts'
import { parsePage } from '../src/clients/log.ts'
import { createSteps, startWorkload } from '../src/clients/workload.ts'
import { until } from '../src/clock.ts'
import { createRandom } from '../src/random.ts'

const topics = ['hot', 'other', 'third']

function sample(seed: number, count: number) {
  const steps = createSteps({ topics }, 's01', createRandom(seed, 's01'))
  return Array.from({ length: count }, () => {
    const step = steps.next()
    if (step.kind === 'event' && step.variant === 0) steps.learn(step.fact)
    return step
  })
}

test('a seed decides what is sent', () => {
  expect(sample(1, 500)).toEqual(sample(1, 500))
  expect(sample(1, 500)).not.toEqual(sample(2, 500))
})

test('shares are as promised: half of the events to the hot topic, 30 % duplicates, 1 % conflicts, 0.1 % poison', () => {
  const steps = sample(3, 50_000)
  const events = steps.filter((step) => step.kind === 'event')
  const sent = events.length + events.filter(({ twice }) => twice).length
  const unique = new Set(events.map(({ fact }) => `${fact.topic} ${idOf(fact)}`)).size
  const conflicts = events.filter(({ variant }) => variant > 0).length
  expect((sent - unique - conflicts) / sent).toBeCloseTo(0.26, 1)
  expect(conflicts / sent).toBeCloseTo(0.01, 2)
  expect(steps.filter(({ kind }) => kind === 'poison').length).toBeGreaterThan(20)
  expect(events.filter(({ fact }) => fact.topic === 'hot').length / events.length).toBeCloseTo(0.5, 1)
})

test('a source numbers the events of each topic 1, 2, 3 …', () => {
  const last = new Map<string, number>()
  for (const step of sample(4, 5_000)) {
    if (step.kind === 'poison') continue
    const { topic, n } = step.fact
    const before = last.get(topic) ?? 0
    expect(n).toBeLessThanOrEqual(before + 1)
    last.set(topic, Math.max(n, before))
  }
})

test('arrays bring new events and known ones, conflicts and repeats, and some come twice at once', async () => {
  const bodies: string[] = []
  const door = {
    post: async (_: string, body: string) => {
      if (body.startsWith('[')) bodies.push(body)
      return { status: body.includes('"poison') ? 422 : 200, body: '' }
    },
  } as Door
  const options = { seed: 1, sources: 2, topics, rate: 20_000, patienceMs: 100 }
  const workload = startWorkload(options, door, openBooks(topics))
  expect(await until(() => bodies.length >= 40, 10_000)).toBe(true)
  await workload.stop()

  const counts = { fresh: 0, known: 0, conflicts: 0, repeats: 0 }
  const known = new Set<string>()
  for (const body of new Set(bodies)) {
    const ids = new Set<string>()
    for (const { topic, event_id, payload } of JSON.parse(body)) {
      const id = `${topic} ${event_id}`
      if (payload.variant > 0) counts.conflicts++
      else if (ids.has(id)) counts.repeats++
      else counts[known.has(id) ? 'known' : 'fresh']++
      ids.add(id)
    }
    for (const id of ids) known.add(id)
  }
  for (const [kind, count] of Object.entries(counts)) expect(count, kind).toBeGreaterThan(5)
  expect(bodies.length).toBeGreaterThan(new Set(bodies).size)
})

test('a page is read back as text, payloads untouched', () => {
  const facts = [1, 20, 400].map((n) => ({ topic: 'hot', source: 's01', n }))
  const events = facts.map((fact, index) => {
    const tail = `,"seq":${index + 1},"received_at":"2026-01-01T00:00:00.000000Z","stored_at":"2026-01-01T00:00:00.000000Z"}`
    return bodyOf(fact, 0).slice(0, -1) + tail
  })
  const rows = parsePage(`[${events.join(',')}]`)
  expect(rows.map(({ id }) => id)).toEqual(['s01-1', 's01-20', 's01-400'])
  expect(rows.map(({ payload }) => payload)).toEqual(facts.map((fact) => payloadOf(fact, 0)))
  expect(parsePage('[]')).toEqual([])
  expect(() => parsePage('[{"topic":"hot"}]')).toThrow(/1 events holds 0/)
})
