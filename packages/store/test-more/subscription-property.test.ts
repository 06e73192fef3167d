/** Whatever workers do, and wherever they or their sessions are killed, a subscription is as the model says. */
import type { SettleAction, SubscriptionOrder } from '@sekali/core/subscription'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Store } from '../src/postgres/connect.ts'
import { lookAtSubscriptions } from '../src/subscriptions/look.ts'
import { putSubscription } from '../src/subscriptions/put.ts'
import {
  add,
  by,
  configOf,
  floorOf,
  get,
  oneSession,
  runOut,
  say,
  statusOf,
  subscribed,
} from '../test/subscriptions.ts'
import { Model } from './subscription-model.ts'

/** What came of a call: its answer arrived, it committed and the answer did not, or it was undone. */
type Fate = 'answered' | 'unanswered' | 'undone'

const fate = fc.constantFrom<Fate>('answered', 'answered', 'answered', 'unanswered', 'undone')

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('pull' as const), max: fc.integer({ min: 1, max: 6 }), fate }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      action: fc.constantFrom<SettleAction>('ack', 'ack', 'ack', 'nak', 'release', 'term', 'extend'),
      // Of all tokens that workers have ever got, by chance: old ones too.
      picks: fc.array(fc.nat({ max: 999 }), { minLength: 1, maxLength: 4 }),
      fate,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('run out' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('add' as const), count: fc.integer({ min: 1, max: 5 }) }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never

interface Token {
  readonly text: string
  readonly grant: string
  readonly seq: number
}

const sourceOf = (seq: number) => `s${(seq * 7) % 4}`
const columns = { source: `'s' || (n * 7) % 4` }

/** The session in which calls are undone: a kill before COMMIT. */
async function run<T>(session: Store, fate: Fate, call: (store: Store) => Promise<T>): Promise<T> {
  if (fate !== 'undone') return call(session)
  // Within a transaction the calls' own statements do not commit.
  await session.pool.query('BEGIN')
  try {
    return await call(session)
  } finally {
    await session.pool.query('ROLLBACK')
  }
}

async function play(session: Store, model: Model, tokens: Token[], one: Step): Promise<void> {
  if (one.kind === 'add') {
    await add(session, 'orders', one.count, columns)
    model.add(one.count)
  } else if (one.kind === 'run out') {
    await runOut(session)
    await lookAtSubscriptions(session)
    model.runOut()
  } else if (one.kind === 'pull') {
    const pulled = await run(session, one.fate, (store) => get(store, one.max))
    if (one.fate === 'undone') return
    const grant = pulled.grant ?? ''
    model.pulled(
      grant,
      pulled.items.map(({ event, attempt }) => ({ seq: event.seq, attempt })),
    )
    if (one.fate === 'unanswered') return
    tokens.push(...pulled.items.map(({ token, event }) => ({ text: token, grant, seq: event.seq })))
  } else {
    const used = one.picks.flatMap((pick) => tokens.at(-1 - (pick % Math.max(tokens.length, 1))) ?? [])
    const texts = used.map(({ text }) => text)
    const results = await run(session, one.fate, (store) => say(store, one.action, [...new Set(texts)]))
    if (one.fate === 'undone') return
    const settle = ({ grant, seq }: Token) => model.settle(one.action, grant, seq)
    const first = [...new Set(used)].map((token) => ({ token, result: settle(token) }))
    // Why the others settle nothing is said at the end: one of them may stand beside the token that has settled its event.
    expect(results).toEqual(first.map(({ token, result }) => (result === 'done' ? result : settle(token))))
  }
}

test.each<SubscriptionOrder>(['none', 'source', 'topic'])('in order %s', async (order) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const deliveriesMax = 3
      await using store = await subscribed(8, { order, deliveriesMax, outstandingMax: 12 }, columns)
      await using session = oneSession(store)
      const model = new Model(order, deliveriesMax, sourceOf)
      model.add(8)
      const tokens: Token[] = []
      for (const one of steps) {
        await play(session, model, tokens, one)
        expect(await floorOf(session)).toBe(model.floor)
        const { outstanding, retrying, lag } = await statusOf(session)
        const held = [...model.held.values()]
        // Whose lease is over waits for its next delivery, as what was given back does.
        const running = held.filter(({ isBack, isDue }) => !isBack && !isDue)
        expect(outstanding).toBe(running.length)
        expect(retrying).toBe(held.length - running.length)
        expect(lag).toBe(model.events - model.floor)
      }
      // A new worker gets the rest, and then nothing is left.
      await putSubscription(session, configOf({ order, deliveriesMax: 1_000 }), by)
      await finish(session, model)
      expect(await floorOf(session)).toBe(model.events)
      const { rows } = await session.pool.query<{ seq: string }>('SELECT seq FROM subscriptions.dead')
      expect(rows.map(({ seq }) => Number(seq)).sort()).toEqual([...model.dead].sort())
    }),
    // The steps that failed are told, and not made fewer: each try takes a database.
    { numRuns: 12, endOnFailure: true },
  )
})

async function finish(session: Store, model: Model): Promise<void> {
  await runOut(session)
  for (let left = 200; left > 0; left -= 1) {
    const pulled = await get(session, 100)
    if (pulled.items.length === 0 && !pulled.more) return
    for (const { event } of pulled.items) {
      expect(model.settled.has(event.seq), `${event.seq} is settled`).toBe(false)
      model.held.delete(event.seq)
      model.settled.add(event.seq)
    }
    expect(new Set(await say(session, 'ack', [pulled.grant]))).toEqual(new Set(['done']))
  }
}
