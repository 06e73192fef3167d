/** Who a client is, and what one may hold of what all share. */
import { ClientLimit, Overloaded } from '@sekali/core/errors'
import { expect, test } from 'vitest'
import { createBudget } from '../src/clients/budget.ts'
import { createClients, isProxy } from '../src/clients/clients.ts'

const from = (remoteAddress: string, forwarded?: string) =>
  ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as unknown as Parameters<
    ReturnType<typeof createClients>['of']
  >[0]

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:0:1::7', '2001:db8:0:1::/64'],
  ['2001:DB8:0:1:ffff:0:0:7', '2001:db8:0:1::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', 'unknown'],
])('a peer at %s is the client %s', (address, client) => {
  expect(createClients().of(from(address))).toBe(client)
})

test('what a proxy forwards counts if the proxy is trusted, up to the first address that is not', () => {
  const clients = createClients(['10.0.0.0/8', '::1'])
  expect(clients.of(from('10.1.2.3', '198.51.100.1, 203.0.113.9'))).toBe('203.0.113.9')
  expect(clients.of(from('10.1.2.3', '203.0.113.9, 10.9.9.9'))).toBe('203.0.113.9')
  expect(clients.of(from('::1', '2001:db8::5'))).toBe('2001:db8:0:0::/64')
  expect(clients.of(from('10.1.2.3', 'nonsense'))).toBe('10.1.2.3')
  expect(clients.of(from('10.1.2.3'))).toBe('10.1.2.3')
  expect(clients.of(from('192.0.2.7', '203.0.113.9'))).toBe('192.0.2.7')
})

test('proxies are addresses or networks', () => {
  expect(['10.0.0.0/8', '::1', '2001:db8::/32', '127.0.0.1'].every(isProxy)).toBe(true)
  expect(['10.0.0.0/33', 'proxy', '', '10.0.0.0/', '10.0.0.0/-1'].some(isProxy)).toBe(false)
})

test('a client alone gets three quarters, and what is left is for others', () => {
  const budget = createBudget(100)
  budget.share('greedy').hold(75)
  expect(() => budget.share('greedy').hold(1)).toThrow(ClientLimit)
  budget.share('other').hold(18)
  expect(() => budget.share('other').hold(4)).toThrow(ClientLimit)
  budget.share('third').hold(1)
  expect(() => budget.share('third').hold(7)).toThrow(Overloaded)
})

test.each([1, 2, 3])('where there is room for %i, one client may have it all', (max) => {
  const budget = createBudget(max)
  for (let taken = 0; taken < max; taken++) budget.share('only').hold(1)
  expect(() => budget.share('only').hold(1)).toThrow(Overloaded)
})

test('what is given back is there again, for everybody', () => {
  const budget = createBudget(100)
  {
    using share = budget.share('a')
    share.hold(75)
    share.hold(50)
    expect(() => share.hold(90)).toThrow(ClientLimit)
    share.hold(0)
    share.hold(70)
  }
  using again = budget.share('b')
  again.hold(75)
})
