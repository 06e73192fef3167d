// What `npm start` prints to be typed: pasted as it is, it must show something, and must not spoil the quickstart.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { customerTotals } from '../../../examples/customer-totals.ts'
import { greeting } from '../src/command/greeting.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

test('the event of the greeting is folded by the example, and is of no topic or customer of the quickstart', async () => {
  const text = greeting({ url: 'http://127.0.0.1:8080', dir: '/d', logDir: '/d/logs' }, `${root}examples`)
  const event = JSON.parse(/-d '(.*)'/.exec(text)?.[1] ?? '')
  expect(customerTotals.topics).toBe('orders.*.paid')
  expect(event.topic).toMatch(/^orders\.\w+\.paid$/)
  expect(text).toContain(`/events?topic=${event.topic}&`)
  expect(text).toContain('/projections/customer-totals')
  expect(text).toContain('npm run -s sekali -- --url')
  const quickstart = await readFile(`${root}docs/quickstart.md`, 'utf8')
  expect(quickstart).not.toContain(event.topic)
  expect(quickstart).not.toContain(`"${event.payload.customer}"`)
})

test('a key that was made is shown alone in its line, and in no command', () => {
  const firstKey = 'sekali_aaaaaaaaaaaa_bbbb_cccccc'
  const service = { url: 'http://127.0.0.1:8080', dir: '/d', logDir: '/d/logs', asksForKeys: true }
  const text = greeting({ ...service, firstKey }, undefined)
  expect(text.split('\n')).toContain(firstKey)
  expect(text.split(firstKey)).toHaveLength(2)
  expect(text).toMatch(/SEKALI_TOKEN.*profile set local/s)
  const curls = text.match(/^ {2}curl .*$/gm) ?? []
  expect(curls).toHaveLength(4)
  // What stands in a command of another program is seen by all who list processes; printf is the shell's own.
  for (const curl of curls) expect(curl).toContain(`-H @<(printf 'authorization: Bearer %s' "$SEKALI_TOKEN")`)
  const later = greeting(service, undefined)
  expect(later).toContain('the doctor needs a key')
  expect(text).not.toContain('the doctor needs a key')
  expect(later).toContain('--replace-first-key')
  expect(greeting({ ...service, asksForKeys: false }, undefined)).not.toContain('SEKALI_TOKEN')
})
