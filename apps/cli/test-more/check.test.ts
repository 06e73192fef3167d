import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ownFolder } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { run } from '../test/command.ts'

test('projection check names the event at which a definition never ends, and folds the others all the same', async () => {
  await using folder = await ownFolder()
  const line = (n: number) =>
    `{"topic":"orders","event_id":"e${n}","timestamp":"2025-12-08T10:00:00Z","source":"till","payload":{"n":${n}}}`
  const [file, events] = [join(folder.path, 'loops.ts'), join(folder.path, 'events.ndjson')]
  await writeFile(
    file,
    `export const loops = { name: 'loops', topics: 'orders', initial: 0, apply(state, event) {
       while (event.payload.n === 30) {}
       return state + 1 } }
     export const sums = { name: 'sums', topics: 'orders', initial: 0, apply: (sum, event) => sum + event.payload.n }`,
  )
  await writeFile(events, Array.from({ length: 40 }, (_, n) => line(n)).join('\n'))
  const { code, out } = await run(['projection', 'check', file, '--events', events], 'http://127.0.0.1:1')
  expect(code).toBe(1)
  expect(out.split('\n').slice(2)).toEqual([
    '40 events read',
    'loops  30',
    '✗ loops stops at orders seq 31 (e30): the definition gave no answer within 2000 ms',
    'sums  780',
    '',
  ])
})
