/** What a dispatcher does where secrets or headers were sealed with a key that is lost, and with tests of what it does not know yet. */
import { randomBytes } from 'node:crypto'
import { createLog } from '@sekali/process/log'
import { readTargets } from '@sekali/store/push-dispatch'
import { rotateSecret } from '@sekali/store/push-secrets'
import { askTest, readTest } from '@sekali/store/push-tests'
import { eventually } from '@sekali/testkit/eventually'
import { putEndpoint } from '@sekali/testkit/push'
import { parseAllow } from '@sekali/webhook/guard'
import { parseKey } from '@sekali/webhook/key'
import { headersContext, seal, secretContext } from '@sekali/webhook/seal'
import { newSecret, verify } from '@sekali/webhook/sign'
import { expect, test } from 'vitest'
import type { DispatchPoint } from '../src/endpoint/deliver.ts'
import { type RunningEndpoint, runEndpoint } from '../src/endpoint/endpoint.ts'
import { createSharedSlots } from '../src/endpoint/shared-slots.ts'
import { judgeDefaults } from '../src/limits.ts'
import { createSamples } from '../src/samples.ts'
import { openLine } from '../src/send/post.ts'
import { startReceiver } from './receiver.ts'
import { ownStack, type Stack, sealKeyText } from './stack.ts'

const by = { actor: 'tester' }
const sealKey = parseKey(sealKeyText)
const lostKey = parseKey(randomBytes(32).toString('base64'))

async function asked({ store }: Stack, name: string): Promise<number> {
  const test = await askTest(store, name, by)
  if (test.outcome !== 'asked') throw new Error(test.outcome)
  return test.id
}

const depsOf = ({ store }: Stack) => ({
  store,
  log: createLog('test', 'silent'),
  sealKey,
  metrics: { onAttempt: () => undefined, onTurnFailure: () => undefined },
  openLine: ({ url, concurrency }: { url: string; concurrency: number }) =>
    openLine(url, concurrency, parseAllow('127.0.0.0/8')),
  cut: new AbortController().signal,
})

test('where no secret can be read a test says so; after a rotation the old one signs nothing, and all goes out', async () => {
  await using stack = await ownStack()
  const { store } = stack
  await using receiver = await startReceiver()
  const { url } = receiver
  await putEndpoint(store, { name: 'hook', url }, seal(lostKey, newSecret(), secretContext('hook')))
  const headers = {
    names: ['x-a'],
    sealed: seal(lostKey, '{}', headersContext('headed')),
    tag: Buffer.alloc(32),
  }
  await stack.push('headed', url, { headers })
  await stack.add(1)
  await using _dispatcher = stack.dispatch()
  const errorOf = async (name: string, words: RegExp) => {
    const id = await asked(stack, name)
    await eventually(async () =>
      expect(await readTest(store, id)).toMatchObject({
        ...{ kind: 'test', state: 'failed', status: null, response: null },
        error: expect.stringMatching(words),
      }),
    )
  }
  await errorOf('hook', /^sealed_elsewhere: its secrets .*WEBHOOK_KEY: rotate/)
  await errorOf('headed', /^sealed_elsewhere: its headers .*WEBHOOK_KEY: set them again/)
  expect(receiver.connections()).toBe(0)
  const secret = newSecret()
  await rotateSecret(store, 'hook', seal(sealKey, secret, secretContext('hook')), by)
  await eventually(() => expect(receiver.received).toHaveLength(1))
  const [{ headers: sent, body }] = receiver.received as [(typeof receiver.received)[0]]
  const signature = String(sent['webhook-signature'])
  expect(signature.split(' ')).toHaveLength(1)
  const signed = {
    id: String(sent['webhook-id']),
    timestamp: String(sent['webhook-timestamp']),
    signature,
    body,
  }
  expect(verify(signed, [secret])).toBe('ok')
})

test('what is handed out while secrets become unreadable is given back at once, and has cost no attempt', async () => {
  await using stack = await ownStack()
  const { store } = stack
  await using receiver = await startReceiver()
  await stack.push('hook', receiver.url)
  await stack.add(1)
  const [target] = await readTargets(store)
  if (target === undefined) throw new Error('no target')
  const shared = createSharedSlots(10, 1_000)
  const without = { ...target, version: 'without', secrets: [randomBytes(60)] }
  let handedOut = 0
  const at = (point: DispatchPoint) => {
    if (point !== 'handed_out') return
    handedOut += 1
    if (handedOut === 1) endpoint.update(without)
  }
  const deps = { ...depsOf(stack), shared, judge: judgeDefaults, worker: 'test', at }
  const endpoint: RunningEndpoint = runEndpoint(deps, target)
  await eventually(async () => {
    const { rows } = await store.pool.query('SELECT leased FROM subscriptions.exceptions')
    expect(rows).toEqual([{ leased: false }])
  }, 5_000)
  expect([receiver.connections(), shared.reserve(10, 0)]).toEqual([0, 10])
  shared.giveBack(10)
  endpoint.update(target)
  await eventually(() => expect(receiver.received.map(({ attempt }) => attempt)).toEqual([1]))
  await endpoint.drain()
  expect(await stack.status()).toMatchObject({ lag: 0, dead: 0 })
})

test('a test of a subscription that is not known yet is sent with the next look', async () => {
  await using stack = await ownStack()
  await using receiver = await startReceiver()
  await stack.push('hook', receiver.url)
  const id = await asked(stack, 'hook')
  const [target] = await readTargets(stack.store)
  await using samples = createSamples(depsOf(stack))
  await samples.take(() => undefined)
  await samples.take(() => target)
  await eventually(
    async () => expect(await readTest(stack.store, id)).toMatchObject({ state: 'delivered' }),
    5_000,
  )
  // What is gone is forgotten.
  const gone = await asked(stack, 'hook')
  for (const find of [() => undefined, () => undefined, () => target]) await samples.take(find)
  expect([await readTest(stack.store, gone), receiver.received.length]).toEqual(['waiting', 1])
})
