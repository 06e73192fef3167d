// A log is copied from one system to another through a pipe, and nothing in it changes.
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { run, start, startShell } from '../test/command.ts'
import { ownSystem } from '../test/system.ts'

const payloads = [
  '{"order":9007199254740993,"total":12.50,"rate":1.0,"tiny":1e-400,"big":123456789012345678901234567890}',
  '{"b":1,"a":2,"text":"\\u00e9\\ud83d\\ude00 \\/ é","nested":[[],{},[1.10]]}',
  '{"z":null, "spaces" : "kept",\t"zero":-0}',
]
const line = (n: number, topic: string) =>
  `{"topic":"${topic}","event_id":"e-${n} \\u00fc\\"","timestamp":"2025-12-08T10:00:00.12345${n % 10}Z",` +
  `"source":"till \\\\ ${n}","payload":${payloads[n % payloads.length]}}`

/** All events of a system as they are sent, without what each system adds on its own. */
async function sent(url: string, topic: string): Promise<string[]> {
  const { out } = await run(['replay', topic], url)
  const own = /,"seq":\d+,"received_at":"[^"]+","stored_at":"[^"]+"\}$/
  return out
    .split('\n')
    .filter(Boolean)
    .map((event) => event.replace(own, '}'))
}

test('replay --events | publish copies a log without changing a digit, and in its order', async () => {
  await using from = await ownSystem()
  await using to = await ownSystem()
  const topics = ['orders.eu', 'orders.us']
  const lines = Array.from({ length: 500 }, (_, n) => line(n, topics[n % 2] ?? ''))
  expect(await run(['publish'], from.url, lines.join('\n'))).toMatchObject({ code: 0 })
  await eventually(async () => expect(await sent(from.url, 'orders.*')).toHaveLength(500), 30_000)

  await using copy = startShell(`sekali replay 'orders.*' --events | sekali publish --url ${to.url}`, {
    SEKALI_URL: from.url,
  })
  expect(await copy.ended).toEqual({ code: 0, out: '500 events queued\n', err: '' })
  await eventually(async () => expect(await sent(to.url, 'orders.*')).toHaveLength(500), 30_000)
  for (const topic of topics) {
    const copied = await sent(to.url, topic)
    expect(copied).toEqual(await sent(from.url, topic))
    expect(copied).toHaveLength(250)
    for (const payload of payloads) expect(copied.some((event) => event.includes(payload))).toBe(true)
  }
  // A copy is made again without harm; and without --events the lines are refused, as they have fields of Sekali's own.
  await using again = startShell(
    `sekali replay orders.eu --events | sekali publish --url ${to.url} && sekali replay orders.eu | sekali publish --url ${to.url}`,
    { SEKALI_URL: from.url },
  )
  expect(await again.ended).toMatchObject({
    code: 1,
    out: '250 events queued\n0 events queued, 250 refused\n',
  })
  await eventually(async () => {
    const { out } = await run(['stats', 'orders.eu', '--json'], to.url)
    expect(JSON.parse(out).topics[0]).toMatchObject({ stored: 250, duplicates: 250, conflicts: 0 })
  }, 30_000)
})

test('a tail of a topic that is not there says so, and shows the first event when it comes', async () => {
  await using system = await ownSystem()
  await using tail = start(['tail', 'orders.new'], { SEKALI_URL: system.url })
  await eventually(() =>
    expect(tail.err()).toBe('there is no topic orders.new yet: waiting for its first event\n'),
  )
  await run(['publish', 'orders.new', '{"n":1}', '--timestamp', '2025-12-08T10:00'], system.url)
  await eventually(() =>
    expect(tail.out()).toMatch(/^2025-12-08T10:00:00\.000000Z {2}orders\.new {2}#1 .*\n$/),
  )

  await using other = start(['tail', 'orders.nev'], { SEKALI_URL: system.url })
  await eventually(() =>
    expect(other.err()).toBe(
      'there is no topic orders.nev yet: waiting for its first event; there is orders.new\n',
    ),
  )

  // A time is when Sekali got an event, and a tail goes on from there.
  const from = (time: string, topic = 'orders.new') =>
    run(['tail', topic, '--from', time, '--count', '1', '--json'], system.url)
  expect(JSON.parse((await from('1h')).out)).toMatchObject({ seq: 1 })
  await using later = start(['tail', 'orders.new', '--from', '0s', '--count', '1', '--json'], {
    SEKALI_URL: system.url,
  })
  await eventually(async () => {
    await run(['publish', 'orders.new', '{}'], system.url)
    expect(later.out()).not.toBe('')
  })
  expect(JSON.parse(later.out()).seq).toBeGreaterThan(1)
  expect(await from('1h', 'orders.*')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/a pattern is followed/),
  })
})
