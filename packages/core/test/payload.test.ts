import { expect, test } from 'vitest'
import { findPayload } from '../src/event/payload.ts'
import { randomJson, seededRandom } from './random-json.ts'

test.each([
  ['the only member', '{"payload":{"a":1}}', '{"a":1}'],
  ['white space around it', ' {\n"payload"\t: {"a" : 1} \r}\n', '{"a" : 1}'],
  [
    'numbers no double can hold',
    '{"payload":{"n":9007199254740993,"x":1e400,"d":0.10}}',
    '{"n":9007199254740993,"x":1e400,"d":0.10}',
  ],
  ['the same word as a value', '{"topic":"payload","payload":{"payload":{}}}', '{"payload":{}}'],
  [
    'the same word deeper',
    '{"a":{"payload":{"no":1}},"payload":{"yes":1},"b":[{"payload":{}}]}',
    '{"yes":1}',
  ],
  ['a repeated key: the last one', '{"payload":{"a":1},"payload":{"b":2}}', '{"b":2}'],
  ['a repeated key with escapes', '{"payload":{"a":1},"p\\u0061yload":{"b":2}}', '{"b":2}'],
  ['a last one that is no object', '{"payload":{"a":1},"payload":null}', undefined],
  ['a repeated key inside of it', '{"payload":{"a":1,"a":2}}', '{"a":1,"a":2}'],
  [
    'brackets and quotes in strings',
    '{"payload":{"a":"}]\\"{[","b\\\\":"\\\\"},"x":1}',
    '{"a":"}]\\"{[","b\\\\":"\\\\"}',
  ],
  [
    'a key that only looks like it',
    '{"payloads":{},"\\"payload":{},"payload":{"a":1},"payloaD":{}}',
    '{"a":1}',
  ],
  ['an array', '{"payload":[1]}', '[1]'],
  ['no such member', '{"topic":"a"}', undefined],
])('finds %s', (_, body, text) => {
  expect(findPayload(body).text).toBe(text)
})

test.each([
  [1, '{}'],
  [2, '{"a":[],"b":{},"c":[]}'],
  [3, '{"a":[[1],[2]],"b":{}}'],
  [1, '{"a":"[[[["}'],
  [10_001, `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
])('counts %i levels', (depth, payload) => {
  expect(findPayload(`{"x":[[[[[]]]]],"payload":${payload},"y":[[[[]]]]}`).depth).toBe(depth)
})

test.each([
  ['NUL', '{"a":"\\u0000"}', true],
  ['NUL in a key', '{"\\u0000":1}', true],
  ['NUL deep inside', '{"a":[{"b":["x\\u0000y"]}]}', true],
  ['NUL after an escaped backslash', '{"a":"\\\\\\u0000"}', true],
  ['a lone high half', '{"a":"\\ud83d"}', true],
  ['a lone low half', '{"a":"\\uDE00"}', true],
  ['two high halves', '{"a":"\\ud83d\\ud83d\\ude00"}', true],
  ['halves in the wrong order', '{"a":"\\ude00\\ud83d"}', true],
  ['halves apart', '{"a":"\\ud83d-\\ude00"}', true],
  ['halves in two strings', '{"a":["\\ud83d","\\ude00"]}', true],
  ['a half in a key', '{"\\uDBFF":1}', true],
  ['a whole pair', '{"a":"\\ud83d\\ude00"}', false],
  ['two pairs', '{"a":"\\uD83D\\uDE00\\ud83d\\ude00"}', false],
  ['the characters around the halves', '{"a":"\\ud7ff\\ue000"}', false],
  ['text that spells the escape', '{"a":"\\\\u0000 \\\\ud83d"}', false],
  ['other control characters', '{"a":"\\u0001\\u001f"}', false],
])('%s: unstorable is %#', (_, payload, unstorable) => {
  expect(findPayload(`{"payload":${payload}}`).isUnstorable).toBe(unstorable)
})

test('what is outside of the last payload does not count against it', () => {
  const body = '{"payload":{"a":"\\u0000","b":[[[]]]},"x":"\\ud800","payload":{"c":1},"y":"\\u0000"}'
  expect(findPayload(body)).toEqual({ text: '{"c":1}', depth: 1, isUnstorable: false })
})

test('the text found is what JSON.parse makes of it, for 3,000 random bodies [P8]', () => {
  for (let seed = 1; seed <= 3_000; seed++) {
    const random = seededRandom(seed)
    const members = ['"payload"', '"topic"', '"p\\u0061yload"', '"x"'].flatMap((key) =>
      random() < 0.6 ? [`${key} : ${randomJson(random, 4)}`] : [],
    )
    const body = `{${members.sort(() => random() - 0.5).join(' ,')}}`
    const expected = (JSON.parse(body) as { payload?: unknown }).payload
    const { text, isUnstorable } = findPayload(body)
    expect(text === undefined ? undefined : JSON.parse(text), `seed ${seed}`).toEqual(expected)
    expect(body, `seed ${seed}`).toContain(text ?? '')
    expect(isUnstorable, `seed ${seed}`).toBe(false)
  }
})

test('10,000 and 300,000 brackets cost no more than their length', () => {
  const body = `{"payload":{"a":${'['.repeat(300_000)}${']'.repeat(300_000)}}}`
  const started = performance.now()
  expect(findPayload(body).depth).toBe(300_001)
  expect(performance.now() - started).toBeLessThan(1_000)
})
