import { expect, test } from 'vitest'
import { isLoopback, readAuth, requireAuth } from '../src/start/auth.ts'

test.each([
  '127.0.0.1',
  '127.8.9.1',
  '::1',
  '[::1]',
  '::ffff:127.0.0.1',
  'localhost',
  'LOCALHOST',
  'a.localhost',
  'localhost.',
])('only this machine gets to %s', (host) => {
  expect(isLoopback(host)).toBe(true)
  expect(() => requireAuth('off', 'HOST', host)).not.toThrow()
})

test.each([
  '0.0.0.0',
  '::',
  '[::]',
  '10.0.0.1',
  '128.0.0.1',
  '::2',
  'example.com',
  'localhost.example.com',
  'notlocalhost',
  '',
  '*',
])('others get to %s, so that it takes a decision', (host) => {
  expect(isLoopback(host)).toBe(false)
  expect(() => requireAuth('off', 'HOST', host)).toThrow(/SEKALI_AUTH=keys.*SEKALI_AUTH=off-on-purpose/)
  expect(() => requireAuth('keys', 'HOST', host)).not.toThrow()
  expect(() => requireAuth('off-on-purpose', 'HOST', host)).not.toThrow()
})

test('another word than these is refused with all of them', () => {
  expect(() => readAuth({ SEKALI_AUTH: 'on' })).toThrow(
    'SEKALI_AUTH: must be one of off, keys, off-on-purpose',
  )
})
