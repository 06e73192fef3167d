/** What the doctor finds right after a start: what is over soon is not printed. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Finding } from '@sekali/core/finding'
import { expect, test } from 'vitest'
import { readFindings } from '../src/system/findings.ts'

const away: Finding = { check: 'redis.reachable', level: 'problem', message: 'Redis does not answer' }
const policy: Finding = {
  check: 'redis.policy',
  level: 'problem',
  message: 'allkeys-lru',
  remedy: 'change it',
}

/** What is printed if the doctor finds `first`, and nothing from `wellAfterMs` on. */
async function printed(first: Finding, wellAfterMs: number) {
  const start = performance.now()
  const server = createServer((_, response) => {
    const isWell = performance.now() - start > wellAfterMs
    response.end(
      JSON.stringify(isWell ? { status: 'ok', findings: [] } : { status: 'problem', findings: [first] }),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return await readFindings(url, { token: undefined }, { settleMs: 300, reachMs: 2_000 })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test('a server that is slow for a moment is not called away', async () => {
  expect(await printed(away, 1_000)).toEqual([])
  expect(await printed(away, 60_000)).toEqual(['problem: redis.reachable: Redis does not answer'])
})

test('what time does not cure is printed without waiting for it', async () => {
  expect(await printed(policy, 1_000)).toEqual(['problem: redis.policy: allkeys-lru. Change it'])
})
