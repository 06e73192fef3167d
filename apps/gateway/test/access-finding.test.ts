/** Whether somebody has forgotten to have keys asked for. */
import type { Finding } from '@sekali/core/finding'
import { startGateway } from '@sekali/testkit/app'
import { expect, test } from 'vitest'
import type { GatewayOptions } from '../src/wire.ts'
import { ownKeys } from './own-keys.ts'

async function findingOf(ask: (path: string, key?: string) => Promise<Response>, key?: string) {
  const { findings } = (await (await ask('/doctor', key)).json()) as { findings: Finding[] }
  return findings.find(({ check }) => check === 'access.auth')
}

test('keys that work while nobody is asked for one are a problem, with both ways out', async () => {
  await using own = await ownKeys({ auth: 'off' })
  expect(await findingOf(own.ask)).toMatchObject({ level: 'ok' })
  await own.make({ expiresAt: '2020-01-01T00:00:00Z' })
  await own.make()
  const remedy = expect.stringMatching(/SEKALI_AUTH=keys.*SEKALI_AUTH=off-on-purpose/)
  // A look that others share may be a moment old.
  await expect
    .poll(() => findingOf(own.ask), { timeout: 10_000 })
    .toMatchObject({
      level: 'problem',
      message: expect.stringMatching(/^1 live key, and nobody is asked/),
      remedy,
    })
})

test.each<[GatewayOptions, string]>([
  [{ auth: 'off', trustedProxies: ['10.0.0.0/8'] }, 'warning'],
  [{ auth: 'off', hosts: ['events.example.com', '127.0.0.1'] }, 'warning'],
  [{ auth: 'off', hosts: ['gateway', '0.0.0.0', 'localhost'] }, 'ok'],
  // Docker compose as it comes: its port is this machine's alone, although an edge has it.
  [{ auth: 'off', trustedEdge: ['172.31.255.192/26'] }, 'ok'],
  [{ auth: 'off-on-purpose', trustedProxies: ['10.0.0.0/8'] }, 'ok'],
  [{ auth: 'keys', trustedProxies: ['10.0.0.0/8'] }, 'ok'],
])('of a gateway with %j the doctor finds: %s', async (options, level) => {
  await using own = await ownKeys(options)
  const key = options.auth === 'keys' ? (await own.make()).text : undefined
  expect(await findingOf(own.ask, key)).toMatchObject({ level })
})

test('a gateway behind a proxy that asks nobody for a key logs so at its start', async () => {
  await using own = await ownKeys({ auth: 'off' })
  await using gateway = await startGateway({ ...own.env, TRUSTED_PROXIES: '127.0.0.1' })
  await expect
    .poll(() => gateway.output())
    .toMatch(/nobody is asked for a key, and TRUSTED_PROXIES .*SEKALI_AUTH=keys/)
})
