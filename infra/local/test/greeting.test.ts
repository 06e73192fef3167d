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

test('who lets others come in is told where, by what names, and what the way shows', () => {
  const service = { url: 'http://127.0.0.1:8080', dir: '/d', logDir: '/d/logs' }
  for (const host of [undefined, '127.0.0.1', 'localhost', '::1']) {
    expect(greeting({ ...service, ...(host && { host }) }, undefined)).not.toContain('Other machines')
  }
  const open = greeting({ ...service, host: '0.0.0.0' }, undefined)
  expect(open).toMatch(/Other machines can come in.*HOSTS=NAME.*Nobody is asked for a key.*clear text.*TLS/s)
  expect(open).not.toMatch(/come in, at http:\/\/127/)
  const one = greeting(
    { ...service, url: 'http://10.0.0.5:8080', host: '10.0.0.5', asksForKeys: true },
    undefined,
  )
  expect(one).toMatch(/come in, at http:\/\/10\.0\.0\.5:8080\..*Keys and events travel in clear text/s)
})

test('where no key may be printed, the program that makes one is named', () => {
  const service = { url: 'http://127.0.0.1:8080', dir: '/d', logDir: '/d/logs', asksForKeys: true }
  const text = greeting({ ...service, showsKey: false }, undefined)
  expect(text).toMatch(
    /DATABASE_URL="\$\(node -p '.*\/d\/run\.json.*postgres\.url'\)" node .*first-key\.ts\n/,
  )
})
