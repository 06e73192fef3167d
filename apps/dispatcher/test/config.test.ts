/** What a dispatcher is called. */
import { hostname } from 'node:os'
import { expect, test } from 'vitest'
import { parseConfig } from '../src/config.ts'

const env = {
  DATABASE_URL: 'postgres://127.0.0.1',
  REDIS_URL: 'redis://127.0.0.1',
  WEBHOOK_KEY: '0'.repeat(64),
}

test('replicas are told apart by their hosts, unless they have names', () => {
  const { name, broker, store } = parseConfig(env)
  expect(name.startsWith(`dispatcher-${hostname().replace(/[^\w.-]/g, '-')}`.slice(0, 40))).toBe(true)
  expect(name.length).toBeLessThanOrEqual(40)
  expect([broker.name, store.name]).toEqual([`sekali-${name}`, `sekali/2-${name}`])
  expect(parseConfig({ ...env, DISPATCHER_NAME: 'one' }).name).toBe('one')
})
