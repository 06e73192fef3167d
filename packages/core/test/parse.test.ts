/** What is read of a body, held against JSON.parse. */
import { expect, test } from 'vitest'
import { InvalidBatch, InvalidEvent, MalformedJson, SekaliError } from '../src/errors.ts'
import { eventsIn, parseEvent, parseEvents, readEvent } from '../src/event/parse.ts'
import { limits } from '../src/limits.ts'
import { damaged, randomJson, seededRandom } from './random-json.ts'

const head = { topic: 't', event_id: 'e', timestamp: '2025-01-01T00:00:00Z', source: 's' }
const one = (id: string, payload = '{}') =>
  `{"topic":"t","event_id":"${id}","timestamp":"2025-01-01T00:00:00Z","source":"s","payload":${payload}}`

/** The payloads of a batch, or the code that it is refused with. */
function outcome(body: string): string | string[] {
  try {
    return parseEvents(body).map(({ payload }) => payload)
  } catch (error) {
    if (error instanceof SekaliError) return error.code
    throw error
  }
}

function jsonOf(body: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(body) }
  } catch {
    return undefined
  }
}

test('what JSON.parse takes is JSON, and nothing else is, for 6,000 random arrays, two thirds of them damaged', () => {
  let refused = 0
  for (let seed = 1; seed <= 6_000; seed++) {
    const random = seededRandom(seed)
    const payloads = Array.from({ length: 1 + Math.floor(random() * 4) }, () => randomJson(random, 4))
    const sound = ` [${payloads.map((payload, index) => one(`e${index}`, payload)).join(' ,\n')}\t] `
    const body = seed % 3 === 0 ? sound : damaged(sound, random)
    const json = body.isWellFormed() ? jsonOf(body) : undefined
    const found = outcome(body)
    if (body === sound) expect(found, `seed ${seed}`).toEqual(payloads)
    if (json === undefined) {
      refused++
      expect(found, `seed ${seed}: ${body}`).toBe('malformed_json')
    } else if (Array.isArray(found)) {
      const values = json.value as { payload: unknown }[]
      expect(
        found.map((text) => JSON.parse(text)),
        `seed ${seed}`,
      ).toEqual(values.map(({ payload }) => payload))
      for (const payload of found) expect(body, `seed ${seed}`).toContain(payload)
    } else expect(found, `seed ${seed}: ${body}`).toMatch(/^invalid_(event|batch)$/)
  }
  expect(refused).toBeGreaterThan(1_000)
})

test.each([
  ...'0 -0 1.5 1e5 1E+5 1e-5 -1.0e0 true false null "\\/\\b\\f\\n\\r\\t\\u00e9" "\u007f"'.split(' '),
  ...'00 01 - +1 .5 1. 1.e5 1e 1e+ 0x1 -a 1a 1.5.5 1e5.5 NaN Infinity True nul truefalse undefined'.split(
    ' ',
  ),
  ...'"\t" "\n" "\\x" "\\u12" "\\u12g4" "\\U0041" "a \'a\' "\\" """" "a"b'.split(' '),
  ...'[1,] [,1] [ ] [} {] [[}] []] {}} {"a"} {"a":} {"a":1,} {,} {a:1} {"a"::1} {1:1} {"a":[}] {"a":1]'.split(
    ' ',
  ),
  ...['1 2', '[1 2]', '{"a":1 "b":2}', '\u00a01', '\u20281', '\ufeff1', '\v1', '\f1', '/**/1', '1//', ' '],
])('a value %j is JSON or not, as JSON.parse has it', (value) => {
  const isJson = jsonOf(value) !== undefined
  for (const body of [one('e', `{"a":${value}}`), one('e', `{"a":[1,${value},2]}`)]) {
    expect('eventId' in readEvent(body)).toBe(isJson)
    expect(outcome(`[${body}]`)).toEqual(isJson ? [payloadOf(body)] : 'malformed_json')
  }
})

const payloadOf = (body: string): string => body.slice(body.indexOf('"payload":') + 10, -1)

test('of a member that comes more than once the last counts, however its key is written', () => {
  const body = `{"payload":{"a":1},"topic":1,"source":[],"t\\u006fpic":"t","event_id":"e","source":"s","timestamp":"2025-01-01T00:00Z","payl\\u006fad":{"b":2}}`
  expect(parseEvent(body)).toMatchObject({ topic: 't', source: 's', payload: '{"b":2}' })
  expect(readEvent(body.replace('{"b":2}', 'null'))).toMatchObject({ issues: [{ path: 'payload' }] })
})

test('fields of millions of characters are refused like others that are too long', () => {
  const long = 'x'.repeat(1_000_000)
  const issuesOf = (body: string) => {
    const read = readEvent(body)
    return 'issues' in read && read.issues.map(({ path, code }) => `${path} ${code}`)
  }
  expect(issuesOf(JSON.stringify({ ...head, event_id: long, payload: {} }))).toEqual([
    'event_id invalid_event_id',
  ])
  expect(issuesOf(JSON.stringify({ ...head, timestamp: long, payload: {} }))).toEqual([
    'timestamp invalid_timestamp',
  ])
  expect(issuesOf(JSON.stringify({ ...head, payload: {}, [long]: 1 }))).toEqual([
    `${long.slice(0, 64)} unknown_field`,
  ])
})

test('a name of 128 characters may be written with escapes, six characters each', () => {
  const escaped = '\\u0078'.repeat(limits.topicCharsMax)
  expect(parseEvent(one('e').replace('"t"', `"${escaped}"`)).topic).toBe('x'.repeat(limits.topicCharsMax))
})

test('of a batch with thousands of bad events a hundred issues are kept, and it is JSON to its end or not at all', () => {
  const bad = Array.from({ length: 5_000 }, () => '{}').join()
  const issuesOf = (body: string) => {
    try {
      return parseEvents(body)
    } catch (error) {
      if (error instanceof InvalidEvent) return error.issues
      throw error
    }
  }
  expect(issuesOf(`[${bad}]`)).toHaveLength(limits.issuesNamedMax)
  expect(() => parseEvents(`[${bad}`)).toThrow(MalformedJson)
  expect(() => parseEvents(`[${bad},{}]`)).toThrow(InvalidBatch)
  expect(() => parseEvents(`[${bad},{},{]`)).toThrow(MalformedJson)
})

test.each([
  ['millions of empty objects', `[${'{},'.repeat(1_000_000)}{}]`, InvalidBatch],
  ['millions of open arrays', '['.repeat(2_000_000), MalformedJson],
  ['millions of arrays in one another', `${'['.repeat(2_000_000)}${']'.repeat(2_000_000)}`, InvalidEvent],
  ['a payload of millions of values', `[${one('e', `{"a":[${'[],'.repeat(1_000_000)}0]}`)}]`, InvalidEvent],
] as const)('%s cost no memory, and others get their turn in between', (_, body, Refusal) => {
  const before = process.memoryUsage().heapUsed
  let pauses = 0
  let held = 0
  expect(() => {
    for (const steps = eventsIn(body); !steps.next().done; ) {
      held = Math.max(held, process.memoryUsage().heapUsed - before)
      pauses++
    }
  }).toThrow(Refusal)
  expect(pauses).toBeGreaterThan(50)
  expect(held).toBeLessThan(48 * 1024 * 1024)
})
