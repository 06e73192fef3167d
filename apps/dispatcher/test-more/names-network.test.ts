/** Names are looked up by the machine's rules, and one that nobody answers for keeps no other waiting. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { requireDebian } from '@sekali/testkit/debian'
import { beforeAll, expect, test } from 'vitest'

const program = fileURLToPath(new URL('programs/named.ts', import.meta.url))

interface Tried {
  readonly came: string
  readonly ms: number
}

let outcome: { readonly behind: Record<string, Tried>; readonly hanging: Tried[] }

beforeAll(async () => {
  await requireDebian('iproute2')
  const words = ['--net', '--mount', process.execPath, program]
  const { stdout } = await promisify(execFile)('unshare', words, { timeout: 120_000 })
  outcome = JSON.parse(stdout)
})

test('names lead where /etc/hosts, the domains to search and the name server have them lead', () => {
  const came = Object.fromEntries(Object.entries(outcome.behind).map(([host, tried]) => [host, tried.came]))
  const found = ['good.test', 'listed.test', 'OTHER.test', 'localhost', 'a.localhost', 'short']
  expect(came).toEqual({
    ...Object.fromEntries(found.map((host) => [host, '200'])),
    // One of the domains could not be asked.
    'nobody.test': 'EAI_AGAIN',
    'nobody.test.': 'ENOTFOUND',
  })
})

test('eight names that no server answers for keep no other name waiting, and come to an end', () => {
  // With the system's look-up four at a time were asked, for ten seconds each.
  for (const { ms } of Object.values(outcome.behind)) expect(ms).toBeLessThan(3_000)
  for (const { came, ms } of outcome.hanging) {
    expect(['EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']).toContain(came)
    expect(ms).toBeLessThan(7_000)
  }
})
