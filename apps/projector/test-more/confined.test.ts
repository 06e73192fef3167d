/** Definitions that take all there is. */
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { counting, numbered, ownStack } from '../test/stack.ts'

const startMs = 60_000

test('whatever a definition takes until it dies, it is that event that stops that projection', async () => {
  await using stack = await ownStack()
  const at = (seq: number, work: string) => `(n, { seq, topic }) => {
    if (seq === ${seq} && topic === 'orders.us') { ${work} }
    return n + 1
  }`
  await stack.define('heap.ts', counting('heap', at(5, `const all = []; for (;;) all.push({ n: [n] })`)))
  const bytes = `const all = []; for (;;) try { all.push(Buffer.alloc(64 * 2 ** 20, 1)) } catch {}`
  await stack.define('bytes.ts', counting('bytes', at(11, bytes)))
  await stack.define('abort.ts', counting('abort', at(17, 'process.abort()')))
  await stack.define('good.ts', counting('good', '(n) => n + 1'))
  for (const topic of ['orders.eu', 'orders.us']) await stack.append(numbered(topic, 40))
  await using projector = stack.projector('p', { DEFINITIONS_MB: '64' })
  await stack.level('good')
  await eventually(async () => {
    const failed = (seq: number, message: unknown) => ({
      status: 'failed',
      error: { topic: 'orders.us', seq, message },
      asOf: { 'orders.us': seq - 1 },
    })
    expect(await stack.status('heap')).toMatchObject(failed(5, 'the definition took all memory there is'))
    expect(await stack.status('bytes')).toMatchObject(failed(11, expect.stringMatching(/^the definition /)))
    expect(await stack.status('abort')).toMatchObject(failed(17, 'the definition ended its process'))
  }, startMs)
  // It is the same projector that goes on.
  await stack.append(numbered('orders.eu', 40, 41))
  await stack.level('good')
  expect(projector.output().match(/"msg":"folding"/g)).toHaveLength(1)
})
