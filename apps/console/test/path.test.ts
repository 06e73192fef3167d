import { expect, test } from 'vitest'
import { pathOf } from '../src/http/call.ts'

test('a path keeps to its segments, whatever they are', () => {
  expect(pathOf(['keys', 'a/b'], { limit: 1, topic: undefined })).toBe('keys/a%2Fb?limit=1')
  expect(pathOf(['events', '...'])).toBe('events/...')
  for (const dots of ['.', '..']) expect(() => pathOf(['keys', dots])).toThrow('no part of a path')
})
