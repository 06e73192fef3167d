/** An endpoint that is interrupted in every way while it is fast. */
import { pauseSubscription, resumeSubscription } from '@sekali/store/control-subscription'
import { eventually } from '@sekali/testkit/eventually'
import { upTo } from '@sekali/testkit/sample'
import { expect, test } from 'vitest'
import { startReceiver, status } from './receiver.ts'
import { ownStack } from './stack.ts'

test('each event goes out until it is taken, and then no more, though the endpoint is paused, fails and loses its dispatcher in the midst', async () => {
  await using stack = await ownStack()
  let isFailing = false
  const delivered: number[] = []
  await using receiver = await startReceiver((request, response) => {
    const fails = isFailing && request.seq % 50 === 0
    if (!fails) delivered.push(request.seq)
    status(fails ? 500 : 200)(request, response)
  })
  await stack.push('hook', receiver.url, { concurrency: 10, retrySeconds: upTo(15).map(() => 1) })
  const count = 3_000
  await stack.add(count)
  const dispatcher = stack.dispatch()
  await eventually(() => expect(receiver.received.length).toBeGreaterThan(500))
  await pauseSubscription(stack.store, 'hook', { actor: 'tester' })
  // Nothing is out any more: what was sent is settled.
  const leased = 'SELECT count(*)::integer AS n FROM subscriptions.exceptions WHERE leased'
  await eventually(async () => expect((await stack.store.pool.query(leased)).rows).toEqual([{ n: 0 }]))
  isFailing = true
  await resumeSubscription(stack.store, 'hook', { actor: 'tester' })
  await eventually(() => expect(receiver.received.length).toBeGreaterThan(1_500))
  await dispatcher.stop()
  isFailing = false
  await using _second = stack.dispatch()
  await eventually(async () => expect(await stack.status()).toMatchObject({ lag: 0, outstanding: 0 }), 30_000)
  expect(delivered.toSorted((a, b) => a - b)).toEqual(upTo(count))
  // A failure counts as an attempt; what was given back does not.
  for (const { seq, attempt } of receiver.received) {
    const failures = receiver.received.filter((one) => one.seq === seq && one.attempt < attempt)
    expect([seq, attempt]).toEqual([seq, failures.length + 1])
  }
})
