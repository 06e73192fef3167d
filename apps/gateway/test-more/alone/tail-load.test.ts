/** Many clients, slow, stopped and killed ones: what they cost, and what is left of them. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { parsePattern } from '@sekali/core/pattern'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { forever } from '../../src/access/life.ts'
import { bytesInUse } from '../../test/bytes-in-use.ts'
import { ownTails } from '../../test/own-tails.ts'

const holder = fileURLToPath(new URL('../../test/hold-tails.ts', import.meta.url))

/** A process with many clients. */
function hold(url: string, topic: string, count: number) {
  const child = spawn(process.execPath, [holder, url, topic, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const over = once(child, 'exit')
  const kill = async () => {
    child.kill('SIGKILL')
    await over
  }
  return { child, heard: once(child.stdout, 'data'), kill, [Symbol.asyncDispose]: kill }
}

test('clients that read history slowly do not keep a fast one waiting', async () => {
  await using own = await ownTails()
  const payload = JSON.stringify({ bytes: randomBytes(20_000).toString('base64') })
  await own.append('t', 1, 100, { payload })
  await own.stored('t', 100)
  const start = { id: '0', isKnown: true }
  // A socket of the kernel would take it all at once.
  const slow = Array.from({ length: 120 }, () => {
    const write = (_chunk: Buffer, _encoding: string, done: () => void) => void setTimeout(done, 400)
    const socket = Object.assign(new Duplex({ write, read() {} }), { setTimeout() {} }) as unknown as Socket
    const outgoing = new ServerResponse(new IncomingMessage(socket))
    outgoing.assignSocket(socket)
    own.tails.serve(own.tails.feedOf(parsePattern('t'), 'slow'), outgoing, start, undefined, forever)
    return outgoing
  })
  using tail = own.tail('topic=t')
  await tail.answered
  using fast = own.tail('topic=t&from=start')
  await eventually(() => expect(fast.told.length).toBe(100), 8_000)
  for (const outgoing of slow) outgoing.destroy()
})

test('a thousand readers of a topic cost as many reads as one', async () => {
  await using own = await ownTails()
  await own.append('shared', 1, 1)
  await own.stored('shared', 1)
  let reads = 0
  const tails = Array.from({ length: 1_000 }, () => own.tail('topic=shared'))
  await eventually(() => expect(tails.every(({ lastId }) => lastId === '1')).toBe(true))
  own.store.pool.on('acquire', () => reads++)
  for (let n = 2; n <= 11; n++) {
    await own.append('shared', n, n)
    await eventually(() => expect(tails.every(({ lastId }) => lastId === String(n))).toBe(true))
  }
  // Ten reads, and the looks that go on all the time.
  expect(reads).toBeLessThan(200)
  for (const tail of tails) tail[Symbol.dispose]()
})

test('a thousand clients, half of them stopped and the others killed, leave nothing behind', async () => {
  await using own = await ownTails({ stalledMs: 1_000, tickMs: 50, lingerMs: 500 })
  const payload = JSON.stringify({ text: 'x'.repeat(8_000) })
  const heads = { load: 0, flood: 0 }
  const grow = async (topic: keyof typeof heads, count: number) => {
    await own.append(topic, heads[topic] + 1, heads[topic] + count, { payload })
    heads[topic] += count
    await own.stored(topic, heads[topic])
  }
  await grow('load', 5)
  await grow('flood', 5)
  const handles = () => process.getActiveResourcesInfo().filter((kind) => kind.startsWith('TCP')).length
  const before = { handles: handles(), bytes: 0 }
  // The pool may open a connection that it had not yet.
  const isBack = (beside: number) =>
    eventually(() => expect(handles()).toBeLessThan(before.handles + beside + 10), 30_000)
  // A small round first, to warm up what stays for good.
  for (const size of [20, 500]) {
    await using killed = hold(own.url, 'load', size)
    await using stopped = hold(own.url, 'load', size - 10)
    await using starved = hold(own.url, 'flood', 10)
    await Promise.all([killed, stopped, starved].map(({ heard }) => heard))
    expect(handles()).toBeGreaterThanOrEqual(before.handles + 2 * size)
    stopped.child.kill('SIGSTOP')
    starved.child.kill('SIGSTOP')
    await grow('load', 20)
    await killed.kill()
    await isBack(size)
    // More than a socket holds that has not read much yet, some 4 MiB: who takes nothing of it is cut off.
    await grow('flood', 800)
    await isBack(size - 10)
    if (size > 20) expect(bytesInUse()).toBeLessThan(before.bytes + 64 * 1024 * 1024) // 130 KiB a client
    await Promise.all([stopped, starved].map(({ kill }) => kill()))
    await isBack(0)
    if (size === 20) before.bytes = bytesInUse()
  }
  await eventually(() => expect(bytesInUse()).toBeLessThan(before.bytes + 8 * 1024 * 1024))
})
