import { serveRoutes } from '@sekali/process/listener'
import { createLog } from '@sekali/process/log'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { waitForHealth, watchHealth } from '../src/system/health-watch.ts'

/** What says what the test decides, as an app's listener does. */
async function ownApp(name: string) {
  const state = { problems: [] as string[] }
  const answer = () => {
    const { problems } = state
    const status = problems.length === 0 ? 'ready' : 'not_ready'
    return { status: problems.length === 0 ? 200 : 503, body: JSON.stringify({ status, problems }) }
  }
  const address = { host: '127.0.0.1', port: 0, variables: 'none' }
  const listener = await serveRoutes([{ path: '/readyz', answer }], address, createLog(name, 'silent'))
  const dispose = () => listener[Symbol.asyncDispose]()
  return { name, health: listener.url, state, [Symbol.asyncDispose]: dispose }
}

test('what keeps apps from their work is said once for all that it concerns, and that it is over', async () => {
  await using one = await ownApp('consumer-1')
  await using two = await ownApp('consumer-2')
  const said: string[] = []
  const apps = () => [one, two]
  await waitForHealth(apps)
  using _watch = watchHealth(apps, (part, what) => void said.push(`${part} ${what}`), 20)
  for (const { state } of [one, two]) state.problems = ['the disk of PostgreSQL is full']
  await eventually(() => expect(said).toHaveLength(1))
  for (const { state } of [one, two]) state.problems = []
  await eventually(() => expect(said).toHaveLength(2))
  expect(said).toEqual([
    'consumer-1, consumer-2 are not ready: the disk of PostgreSQL is full',
    'consumer-1, consumer-2 are past that: the disk of PostgreSQL is full',
  ])
})

test('an app that does not answer is named', async () => {
  const said: string[] = []
  const dead = { name: 'gateway', health: 'http://127.0.0.1:1' }
  using _watch = watchHealth(
    () => [dead],
    (part, what) => void said.push(`${part} ${what}`),
    20,
  )
  await eventually(() => expect(said).toEqual(['gateway is not ready: it does not answer']))
})
