import { expect, test } from 'vitest'
import { runBootstrap } from '../test/start.ts'

test('the demo publishes, balances, says it in one line of JSON and exits with 0', async () => {
  await using demo = runBootstrap(['demo', '--events', '500', '--consumers', '2', '--seed', 'a', '--json'])
  let stdout = ''
  demo.child.stdout?.on('data', (text: string) => {
    stdout += text
  })
  expect(await demo.exited).toBe(0)
  const figures = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
  expect(figures).toMatchObject({
    accepted: 500,
    stored: 350,
    duplicates: 150,
    conflicts: 0,
    dead: 0,
    in_flight: 0,
  })
})

test('a demo that is interrupted stops everything and says so', async () => {
  await using demo = runBootstrap(['demo', '--events', '100000', '--consumers', '1'])
  await new Promise<void>((resolve) => {
    demo.child.stderr?.on('data', () => {
      if (demo.said().includes('the publisher begins')) resolve()
    })
  })
  demo.child.kill('SIGINT')
  expect(await demo.exited).toBe(130)
  expect(demo.said()).toContain('everything is stopped; the data are deleted')
})
