/** How long a client may take to read its answer. */
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { type Answer, closing, get, megabyte, serve } from './serve.ts'

const stalledMs = 500

test.each([
  ['reads nothing', undefined],
  ['reads a byte now and then', 1],
])('a client that %s of its answer is cut off in time', async (_, bytes) => {
  let closedAt = 0
  const answer: Answer = (_, response) => {
    response.once('close', () => {
      closedAt = performance.now()
    })
    response.end(Buffer.alloc(32 * megabyte))
  }
  await using server = await serve(answer, { stalledMs })
  const socket = await server.open('127.0.0.1', get())
  await server.hasBegun(1)
  const startedAt = performance.now()
  socket.pause()
  const reading = bytes && setInterval(() => socket.read(bytes), 20)
  await eventually(() => expect(closedAt).toBeGreaterThan(0), 5 * stalledMs)
  clearInterval(reading)
  expect(closedAt - startedAt).toBeGreaterThan(stalledMs * 0.9)
})

test('a client that is slow and goes on is served to the end', async () => {
  const size = 32 * megabyte
  await using server = await serve((_, response) => void response.end(Buffer.alloc(size)), { stalledMs })
  const socket = await server.open('127.0.0.1', get('/', closing))
  let read = 0
  const startedAt = performance.now()
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    read += chunk.length
    const ahead = (read / size) * 3 * stalledMs - (performance.now() - startedAt)
    if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead))
  }
  expect(read).toBeGreaterThan(size)
})
