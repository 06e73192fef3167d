import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { pause } from '../src/clock.ts'
import { startProxy } from '../src/targets/proxy.ts'

/** A server that answers every line with `re: ` and the line, and a client of it through a proxy. */
async function line() {
  const heard: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.setEncoding('utf8').on('data', (text: string) => {
      heard.push(text)
      socket.write(`re: ${text}`)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const proxy = await startProxy(() => ({ host: '127.0.0.1', port }))
  return {
    heard,
    proxy,
    sockets,
    call: async () => {
      const socket = connect(proxy.port, '127.0.0.1')
      let received = ''
      let ended = ''
      socket.setEncoding('utf8').on('data', (text: string) => {
        received += text
      })
      socket.on('error', (error: NodeJS.ErrnoException) => {
        ended = error.code ?? 'error'
      })
      socket.on('close', () => {
        ended ||= 'closed'
      })
      await once(socket, 'connect')
      return { socket, received: () => received, ended: () => ended }
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]()
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

const soonMs = 150

test('passes bytes on, in order, and the end', async () => {
  await using it = await line()
  const { socket, received, ended } = await it.call()
  for (const word of ['a', 'b', 'c']) socket.write(word)
  await expect.poll(received).toMatch(/c$/)
  expect(it.heard.join('')).toBe('abc')
  for (const one of it.sockets) one.end('bye')
  await expect.poll(ended).toBe('closed')
  expect(received()).toMatch(/bye$/)
})

test('drops the reply of the request that matches: carried out, unanswered, cut', async () => {
  await using it = await line()
  const { socket, received, ended } = await it.call()
  const sprung = it.proxy.dropReply(/COMMIT/, AbortSignal.timeout(5_000))
  socket.write('SELECT')
  await expect.poll(received).toBe('re: SELECT')
  socket.write('COMMIT')
  expect(await sprung).toBe(true)
  await expect.poll(ended).toMatch(/ECONNRESET|closed/)
  expect(it.heard).toEqual(['SELECT', 'COMMIT'])
  expect(received()).toBe('re: SELECT')
  expect(await it.proxy.dropReply(/COMMIT/, AbortSignal.timeout(20))).toBe(false)
})

test('stalled, nothing moves and nobody is told; healed, it moves on', async () => {
  await using it = await line()
  const { socket, received, ended } = await it.call()
  it.proxy.stall()
  socket.write('a')
  await pause(soonMs)
  expect([received(), ended(), it.heard]).toEqual(['', '', []])
  it.proxy.heal()
  await expect.poll(received).toBe('re: a')
})

test('resets, and works again', async () => {
  await using it = await line()
  const first = await it.call()
  await expect.poll(() => it.sockets.size).toBe(1)
  it.proxy.reset()
  await expect.poll(first.ended).toBe('ECONNRESET')
  const second = await it.call()
  second.socket.write('b')
  await expect.poll(second.received).toBe('re: b')
})

test('half open, the one side is gone and the other does not know', async () => {
  await using it = await line()
  const first = await it.call()
  await expect.poll(() => it.sockets.size).toBe(1)
  it.proxy.halfOpen('server')
  first.socket.write('into the void')
  await pause(soonMs)
  expect([first.received(), first.ended()]).toEqual(['', ''])
  it.proxy.heal()
  await expect.poll(first.ended).not.toBe('')
})
