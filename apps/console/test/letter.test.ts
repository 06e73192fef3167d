import { expect, test } from 'vitest'
import { letterOf } from '../src/views/letters/letter.ts'

test('payloads of a letter are the text that was sent [P8]', () => {
  const payload = '{ "n": 9007199254740993, "d": 12.50, "__proto__": {"a": 1} }'
  const content = `{"timestamp":"2025-12-08T10:00:00.000000Z","source":"shop","payload":${payload}}`
  const letter = letterOf(`{"id":"c-7","kind":"conflict","received":${content},"stored":${content}}`)
  expect(letter).toMatchObject({ id: 'c-7', received: { source: 'shop', payload }, stored: { payload } })
  expect(letter).not.toHaveProperty('event')
})
