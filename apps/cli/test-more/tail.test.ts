import { createClient } from '@sekali/client/client'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { run, start, startShell } from '../test/command.ts'
import { ownSystem } from '../test/system.ts'

const event = (n: number) => ({
  topic: n % 2 === 0 ? 'orders.eu' : 'orders.us',
  event_id: `e${n}`,
  timestamp: '2025-12-08T10:00:00Z',
  source: 'till',
  payload: { n },
})

interface Tailed {
  readonly topic: string
  readonly seq: number
  readonly payload: { readonly n: number }
}

test('a tail over a gateway that is killed and comes back has everything, in order, nothing twice', async () => {
  await using system = await ownSystem()
  const env = { SEKALI_URL: system.url }
  await using tail = start(['tail', 'orders.*', '--json'], env)
  await using first = start(['tail', 'orders.eu', '--from', 'start', '--count', '1'], env)
  const client = createClient({ baseUrl: system.url })
  // A tail from now on is known to have begun when it shows something.
  let sent = 0
  await eventually(async () => {
    await client.publish(event(sent++))
    expect(tail.out()).toContain('\n')
  })
  for (const _ of [1, 2]) {
    const before = tail.out().length
    for (const end = sent + 20; sent < end; sent++) await client.publish(event(sent))
    await eventually(() => expect(tail.out().length).toBeGreaterThan(before))
    await system.gateway.kill()
    await system.gateway.start()
  }
  for (const end = sent + 20; sent < end; sent++) await client.publish(event(sent))

  // No order is promised across topics; within each there is no gap from the first one shown to the last one sent.
  for (const [topic, last] of [
    ['orders.eu', sent - 2 + (sent % 2)],
    ['orders.us', sent - 1 - (sent % 2)],
  ]) {
    const tailed = await eventually(() => {
      const events = lines(tail.out()).filter((one) => one.topic === topic)
      expect(events.at(-1)?.payload.n).toBe(last)
      return events
    }, 30_000)
    const begin = tailed[0]?.seq ?? 0
    expect(tailed.length).toBeGreaterThan(25)
    expect(tailed.map(({ seq }) => seq)).toEqual(tailed.map((_, index) => begin + index))
  }

  // Nothing comes after the last event.
  const last = Math.ceil(sent / 2)
  await using pipe = startShell(`sekali tail orders.eu --from ${last - 1} | head -n 1`, env)
  expect(await pipe.ended).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^.*\n$/) })

  const refused = await run(['tail', 'orders..eu'], system.url)
  expect(refused).toMatchObject({ code: 1, err: expect.stringMatching(/^sekali: not valid: topic .*\n$/) })
  tail.child.kill('SIGINT')
  expect(await tail.ended).toMatchObject({ code: 130 })
  expect(await first.ended).toMatchObject({ code: 0, out: expect.stringMatching(/orders\.eu {2}#1 {2}till/) })
})

const lines = (text: string): Tailed[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
