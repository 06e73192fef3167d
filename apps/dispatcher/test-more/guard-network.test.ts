/** Addresses that may not be reached get no connection at all, in a network where each of them would answer. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { requireDebian } from '@sekali/testkit/debian'
import { beforeAll, expect, test } from 'vitest'

const program = fileURLToPath(new URL('programs/guarded.ts', import.meta.url))

const v4 = ['0.0.0.0', '10.0.0.1', '100.64.0.1', '127.0.0.1', '127.9.9.9', '168.63.129.16', '169.254.169.254']
const alsoV4 = ['169.254.170.2', '172.16.0.1', '172.31.255.254', '192.0.0.1', '192.0.2.1', '192.168.1.1']
const lateV4 = [
  '198.18.0.1',
  '198.51.100.7',
  '203.0.113.7',
  '192.88.99.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
]
const v6 = [
  '::',
  '::93.184.216.34',
  '::1',
  '::127.0.0.1',
  '::a9fe:a9fe',
  '::ffff:127.0.0.1',
  '::ffff:a9fe:a9fe',
  '64:ff9b::7f00:1',
]
const alsoV6 = [
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '2002:a9fe:a9fe::1',
]
const lateV6 = ['3fff::1', '5f00::1', 'fc00::1', 'fd00:ec2::254', 'fec0::1', 'fe80::1', 'ff02::1', '4000::1']
const denied = [...v4, ...alsoV4, ...lateV4, ...v6, ...alsoV6, ...lateV6]
const open = '93.184.216.34'

interface Outcome {
  readonly byLiteral: Record<string, string[]>
  readonly byName: Record<string, string[]>
  readonly before: Record<string, number>
  readonly alternating: string[]
  readonly after: Record<string, number>
}

let outcome: Outcome

beforeAll(async () => {
  await requireDebian('iproute2')
  const words = ['--net', process.execPath, program, JSON.stringify([denied, open])]
  const { stdout } = await promisify(execFile)('unshare', words, { timeout: 120_000 })
  outcome = JSON.parse(stdout)
})

test('no address of the table gets a connection, by its literal or by a name', () => {
  expect(denied.length).toBeGreaterThanOrEqual(36)
  const blocked = Object.fromEntries(denied.map((address) => [address, ['blocked_address']]))
  expect(outcome.byName).toEqual(blocked)
  expect(outcome.byLiteral).toEqual(blocked)
  expect(outcome.before).toEqual({})
})

test('a name that leads to a public address and inside by turns gets through only to the public one', () => {
  expect(outcome.alternating).toEqual(['200', 'blocked_address', '200', 'blocked_address', '200'])
  expect(outcome.after).toEqual({ [open]: 3 })
})
