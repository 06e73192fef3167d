import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { requireDebian } from '../src/processes/debian.ts'

const policy = '/usr/sbin/policy-rc.d'
const readPolicy = () => (existsSync(policy) ? readFileSync(policy, 'utf8') : undefined)

test('packages that several ask for at once are installed, and none of their services runs', async () => {
  const before = readPolicy()
  await Promise.all([
    requireDebian('haproxy', 'pgbouncer'),
    requireDebian('pgbouncer'),
    requireDebian('haproxy'),
  ])
  for (const command of ['haproxy', 'pgbouncer'])
    execFileSync(command, [command === 'haproxy' ? '-v' : '--version'])
  expect(readPolicy()).toBe(before)
  const running = execFileSync('ps', ['-eo', 'args='], { encoding: 'utf8' })
  // Those that tests start have a configuration of their own.
  expect(running).not.toMatch(/\/etc\/(haproxy|pgbouncer)\//)
}, 600_000)

test('a package that there is not is refused in words', async () => {
  await expect(requireDebian('sekali-has-no-such-package')).rejects.toThrow('apt could not install')
}, 600_000)
