/** What becomes of what workers could not do, printing events, moving a subscription, and what makes no sense. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { run } from '../test/command.ts'
import { payloadOf, publishNumbered } from '../test/numbered.ts'
import { ownSystem, type System } from '../test/system.ts'

const stack = new AsyncDisposableStack()
let system: System
beforeAll(async () => {
  system = stack.use(await ownSystem())
})
afterAll(() => stack.disposeAsync())

const sekali = (...args: string[]) => run(args, system.url)
const subscription = (...args: string[]) => sekali('subscription', ...args)
const json = async (...args: string[]) => JSON.parse((await sekali(...args, '--json')).out)

const publish = (topic: string, count: number) => publishNumbered(system.url, topic, count)

test('what workers could not do is among the dead letters, and comes again once it is redriven', async () => {
  await publish('poisoned', 2)
  await subscription(
    ...['create', 'poisoned', '--topics', 'poisoned', '--from', 'start'],
    ...['--backoff', '0', '--deliveries', '2'],
  )
  await subscription('pull', 'poisoned', '--exec', 'exit 9', '--count', '4')
  const [head, ...rows] = (await sekali('dead-letter', 'list', '--subscription', 'poisoned')).out
    .trim()
    .split('\n')
  expect(head).toMatch(/^id +received/)
  expect(rows).toEqual([
    expect.stringMatching(/^d-\d+ +\S+Z +poisoned +e-2 +exhausted of poisoned +open$/),
    expect.stringMatching(/^d-\d+ +\S+Z +poisoned +e-1 +exhausted of poisoned +open$/),
  ])
  const [id = ''] = rows[1]?.split(' ') ?? []
  const shown = (await sekali('dead-letter', 'show', id)).out
  expect(shown).toMatch(/said +exit code 9\n/)
  expect(shown).toContain(payloadOf(1))
  const counted = await sekali('dead-letter', 'redrive', '--subscription', 'poisoned', '--dry-run')
  expect(counted.out).toBe('2 dead letters would be redriven: 2 exhausted\n')
  expect((await sekali('dead-letter', 'redrive', id, '--yes')).out).toBe('1 event will be handed out again\n')
  const pulled = await subscription('pull', 'poisoned', '--ack', '--count', '1')
  expect(JSON.parse(pulled.out)).toMatchObject({ topic: 'poisoned', seq: 1 })
  const rest = ['dead-letter', 'redrive', '--subscription', 'poisoned', '--expect', '1']
  expect((await sekali(...rest)).out).toBe('1 event will be handed out again\n')
  expect(await json('subscription', 'show', 'poisoned')).toMatchObject({ dead: 0, lag: 0 })
})

test('events are printed as they were sent and settled, or looked at and given back without an attempt', async () => {
  await publish('printed', 3)
  await subscription('create', 'printer', '--topics', 'printed', '--from', 'start')
  const looked = await subscription('pull', 'printer', '--release', '--count', '2')
  expect(looked).toMatchObject({ code: 0, err: '' })
  expect(looked.out.split('\n')[1]).toContain(`"payload":${payloadOf(2)}`)
  expect(await json('subscription', 'show', 'printer')).toMatchObject({ outstanding: 0, lag: 3 })
  const printed = await subscription('pull', 'printer', '--ack', '--count', '3')
  expect(printed.out.trim().split('\n')).toHaveLength(3)
  expect(printed.out.split('\n').slice(0, 2)).toEqual(looked.out.split('\n').slice(0, 2))
  expect(await json('subscription', 'show', 'printer')).toMatchObject({ outstanding: 0, lag: 0, dead: 0 })
})

test('a subscription begins anew at another place, after it has said what that means', async () => {
  await publish('sought', 4)
  await subscription('create', 'seeker', '--topics', 'sought', '--from', 'start')
  await subscription('pull', 'seeker', '--ack', '--count', '3')
  const dry = await subscription('seek', 'seeker', '--from', '1', '--dry-run')
  expect(dry.out).toBe(
    '2 events would be handed out again, 0 events would be skipped, workers would lose 0 events that they have\n',
  )
  expect(await subscription('seek', 'seeker', '--from', 'start')).toMatchObject({
    code: 2,
    err: expect.stringContaining('say --yes; --dry-run says what it would do'),
  })
  await subscription('seek', 'seeker', '--from', '1', '--yes')
  expect(await json('subscription', 'show', 'seeker')).toMatchObject({ lag: 3 })
  expect(await json('subscription', 'seek', 'seeker', '--from', 'now', '--yes')).toMatchObject({ skipped: 3 })
  expect(await json('subscription', 'show', 'seeker')).toMatchObject({ lag: 0 })
})

test('what makes no sense is a usage error', async () => {
  const wrong: readonly (readonly [readonly string[], string])[] = [
    [['pull', 'mailer'], 'say what becomes of the events'],
    [['pull', 'mailer', '--ack', '--exec', 'true'], 'one of them'],
    [['pull', 'mailer', '--exec', 'true', '--concurrency', '0'], 'from 1 to 1000'],
    [['create', 'mailer'], '--topics'],
    [['create', 'mailer', '--topics', 'a', '--where', 'status=paid'], 'such as /status=paid'],
    [['create', 'mailer', '--topics', 'a', '--from', '2026-13-01'], 'It '],
    [['create', 'mailer', '--topics', 'a', '--backoff', '1,x'], 'whole number'],
  ]
  for (const [args, words] of wrong) {
    expect(await subscription(...args), args.join(' ')).toMatchObject({
      code: 2,
      err: expect.stringContaining(words),
    })
  }
})
