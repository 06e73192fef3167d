/** What is said to senders of other kinds: shippers that send much at once, and those that send CloudEvents. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { prefersProgress, readPreferences } from '../src/http/prefer.ts'
import { eventBody } from './gateway.ts'
import { ownSystem, type System } from './system.ts'

let system: System
beforeAll(async () => {
  system = await ownSystem()
})
afterAll(() => system[Symbol.asyncDispose]())

const json = 'application/json'
const ndjson = 'application/x-ndjson'
async function send(body: string, type: string, headers: Record<string, string> = {}) {
  const init = { method: 'POST', body, headers: { 'Content-Type': type, ...headers } }
  const response = await fetch(`${system.url}/publish`, init)
  const answer = (await response.json()) as Record<string, unknown>
  return { status: response.status, applied: response.headers.get('preference-applied'), answer }
}

const lenient = { Prefer: 'handling=lenient' }
const event = (topic: string, id: string) => eventBody({ topic, event_id: id })
const idsOf = async (topic: string) => {
  await system.settled()
  const events = (await (await system.get(`/events?topic=${topic}&after=0&limit=1000`)).json()) as {
    event_id: string
  }[]
  return events.map(({ event_id }) => event_id)
}

test('of an array that is sent leniently the good ones are queued, and the others are named', async () => {
  const body = `[${event('sifted', 'a')},7,${event('sifted', '')},${event('sifted', 'b')},{"x":1}]`
  const { status, applied, answer } = await send(body, json, lenient)
  expect({ status, applied }).toEqual({ status: 200, applied: 'handling=lenient' })
  expect(answer).toEqual({
    status: 'queued',
    queued: 2,
    invalid: 3,
    events: [
      { index: 1, errors: [{ path: '', code: 'invalid_body', message: 'must be a JSON object' }] },
      { index: 2, errors: [expect.objectContaining({ path: 'event_id' })] },
      { index: 4, errors: expect.arrayContaining([expect.objectContaining({ path: 'topic' })]) },
    ],
  })
  expect(await idsOf('sifted')).toEqual(['a', 'b'])
})

test('of a thousand bad ones a hundred are named, and all are counted', async () => {
  const bad = Array.from({ length: 1_500 }, () => '{}')
  const array = await send(`[${bad.join(',')},${event('many', 'a')}]`, json, lenient)
  expect(array).toMatchObject({ status: 200, answer: { queued: 1, invalid: 1_500 } })
  expect(array.answer.events).toHaveLength(100)
  const lines = await send(`${bad.join('\n')}\n${event('many', 'b')}`, ndjson, lenient)
  expect(lines).toMatchObject({ status: 200, answer: { queued: 1, invalid: 1_500, lines_read: 1_501 } })
  expect(lines.answer.lines).toHaveLength(100)
  expect(await idsOf('many')).toEqual(['a', 'b'])
})

test('of lines that are sent leniently, too: 200 if any was good', async () => {
  const body = [event('lines', 'a'), '{', '', event('lines', 'b')].join('\n')
  const { status, applied, answer } = await send(body, ndjson, lenient)
  expect({ status, applied }).toEqual({ status: 200, applied: 'handling=lenient' })
  expect(answer).toEqual({
    status: 'queued',
    queued: 2,
    lines_read: 4,
    invalid: 1,
    lines: [{ line: 2, errors: [{ path: '', code: 'malformed_json', message: 'must be JSON' }] }],
  })
  expect(await idsOf('lines')).toEqual(['a', 'b'])
})

test.each([
  ['an array', json, '[{},7]', 'invalid_event', 'events'],
  ['lines', ndjson, '{}\n7', 'invalid_lines', 'lines'],
])('%s without a good one is 422 all the same', async (_, type, body, code, list) => {
  const { status, applied, answer } = await send(body, type, lenient)
  expect({ status, applied }).toEqual({ status: 422, applied: 'handling=lenient' })
  expect(answer).toMatchObject({ code, queued: 0, invalid: 2 })
  expect(answer.detail).toContain('Nothing is queued.')
  expect(answer[list]).toHaveLength(2)
  expect(answer).not.toHaveProperty('errors') // each is named once, in the list
})

test('what is wrong as a whole is refused as ever', async () => {
  expect((await send('[', json, lenient)).status).toBe(400)
  expect((await send('[]', json, lenient)).answer.code).toBe('invalid_batch')
  expect((await send('{}', json, lenient)).answer.code).toBe('invalid_event')
})

test('a lenient request that waits gets the outcomes of the good ones, each with its index', async () => {
  const body = `[7,${event('waited', 'a')},{},${event('waited', 'b')},${event('waited', 'a')}]`
  const prefer = { Prefer: 'handling=lenient, wait=20' }
  const { status, applied, answer } = await send(body, json, prefer)
  expect({ status, applied }).toEqual({ status: 200, applied: 'handling=lenient, wait=20' })
  expect(answer).toMatchObject({
    status: 'settled',
    queued: 3,
    invalid: 2,
    events: [{ index: 0 }, { index: 2 }],
    receipts: [
      { index: 1, event_id: 'a', status: 'stored', seq: 1 },
      { index: 3, event_id: 'b', status: 'stored', seq: 2 },
      { index: 4, event_id: 'a', status: 'duplicate', seq: 1 },
    ],
  })
  expect((await send('[7]', json, prefer)).status).toBe(422)
  const one = await send(event('waited', 'c'), json, prefer)
  expect(one).toMatchObject({ status: 200, applied: 'wait=20', answer: { status: 'stored', seq: 3 } })
})

test.each([
  [undefined, undefined, false],
  ['handling=lenient', undefined, true],
  ['Handling = "Lenient" , wait=7', 7, true],
  ['wait=7; handling=lenient', 7, false],
  ['foo; handling=lenient', undefined, false],
  ['foo;bar="x;y";, handling=lenient', undefined, true],
  ['a="b, handling=lenient"', undefined, false],
  ['a="b, handling=lenient', undefined, false],
  ['a="\\", handling=lenient, b=\\""', undefined, false],
  ['a="\\\\", handling=lenient', undefined, true],
  ['a=b c, respond-async, handling="lenient";x=y, wait="5"', 5, true],
  ['handling="len\\ient"', undefined, true],
  ['handling="lenient', undefined, false],
  [',, ,wait=5', 5, false],
  ['handling=strict, handling=lenient', undefined, false],
  ['handling=other, handling=lenient', undefined, true],
  ['handling', undefined, false],
  ['wait=x, wait=3, wait=4', 3, false],
  ['wait=100', 60, false],
])('Prefer: %s', (header, waitSeconds, isLenient) => {
  expect(readPreferences(header)).toEqual({ waitSeconds, isLenient })
})

test.each([
  [undefined, false],
  ['progress', true],
  ['Progress=""; x=y', true],
  ['progress = ', true],
  ['wait=1, progress', true],
  ['progress=no', false],
  ['foo; progress', false],
  ['a="b, progress"', false],
  ['a="b, progress', false],
  ['xprogress, progress-x', false],
])('Prefer: %s wants progress: %s', (header, wants) => {
  expect(prefersProgress(header)).toBe(wants)
})

test('a long preference costs no more than its length', () => {
  const started = performance.now()
  for (const text of ['"', '\\"', 'a=', ',', ';', ' ', '"\\']) {
    const header = `a="${text.repeat(8_000)}`
    readPreferences(header)
    prefersProgress(header)
    readPreferences(`a${text.repeat(8_000)}`)
    for (let times = 0; times < 4; times++) readPreferences(`a=${text.repeat(8_000)}x y`)
  }
  expect(performance.now() - started).toBeLessThan(500)
})

const cloudEvent = JSON.stringify({
  specversion: '1.0',
  id: 'a',
  source: '/shop',
  type: 'order.paid',
  time: '2025-12-08T10:00:00Z',
  data: {},
})
const attributes = { 'ce-specversion': '1.0', 'ce-id': 'a', 'ce-source': '/shop', 'ce-type': 'order.paid' }
const wordAndWay = /CloudEvent.*topic.*event_id.*source.*timestamp.*payload/

test.each([
  ['binary mode', json, '{"total":1}', attributes, 422],
  ['binary mode, of a text', 'text/csv', 'a,b', attributes, 415],
  ['binary mode, of an image', 'image/png', 'x', attributes, 415],
  ['binary mode, of no JSON', json, 'total', attributes, 400],
  ['binary mode, and waits', json, '{"total":1}', { ...attributes, Prefer: 'wait=1' }, 422],
  ['binary mode, as lines', ndjson, '{"total":1}\n{"total":2}', attributes, 422],
  ['binary mode, as a thousand lines', ndjson, '{"total":1}\n'.repeat(1_001), attributes, 422],
  ['binary mode, as lines, leniently', ndjson, '{"total":1}', { ...attributes, ...lenient }, 422],
  ['binary mode, leniently', json, '[{"total":1}]', { ...attributes, ...lenient }, 422],
  ['binary mode, of one, leniently', json, '{"total":1}', { ...attributes, ...lenient }, 422],
  [
    'binary mode, leniently, and waits',
    json,
    '[{"total":1}]',
    { ...attributes, Prefer: 'handling=lenient, wait=1' },
    422,
  ],
  ['structured mode', 'application/cloudevents+json; charset=utf-8', cloudEvent, {}, 415],
  ['structured mode in XML', 'application/cloudevents+xml', '<event/>', {}, 415],
  ['batched mode', 'application/cloudevents-batch+json', `[${cloudEvent}]`, {}, 415],
  ['structured mode, as JSON', json, cloudEvent, {}, 422],
  ['batched mode, as JSON', json, `[${cloudEvent}]`, {}, 422],
  ['lines', ndjson, cloudEvent, {}, 422],
])(
  'the answer to a CloudEvent in %s calls it that, and says what to send instead',
  async (_, type, body, headers, expected) => {
    const { status, answer } = await send(body, type, headers)
    expect(status).toBe(expected)
    expect(JSON.stringify(answer)).toMatch(wordAndWay)
  },
)

test('of lines of which some are taken no CloudEvent is made', async () => {
  const { status, answer } = await send(`${event('taken', 'b')}\n{"total":1}`, ndjson, attributes)
  expect({ status, answer }).toMatchObject({ status: 422, answer: { queued: 1, invalid: 1 } })
  expect(answer.detail).not.toContain('CloudEvent')
})

test('an event of ours is taken whatever other headers say, and others do not hear of CloudEvents', async () => {
  expect((await send(event('taken', 'a'), json, attributes)).status).toBe(200)
  expect(JSON.stringify((await send('{"id":1}', json)).answer)).not.toContain('CloudEvent')
  expect(JSON.stringify((await send('a', 'text/csv')).answer)).not.toContain('CloudEvent')
})
