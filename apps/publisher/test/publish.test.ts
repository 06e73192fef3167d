import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient } from '@sekali/client/client'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { expect, test } from 'vitest'
import { keepAlive } from '../src/keep-alive.ts'
import { reportTopics } from '../src/load/payloads.ts'
import { nothingSent, publishAll } from '../src/load/publish.ts'
import { sendings } from '../src/load/workload.ts'

const workload = { seed: 'test', events: 300, repeats: 90, topics: reportTopics }

/** A real server at the other end; it answers as told and counts who talks to it. */
async function startPeer(answer: RequestListener) {
  let connections = 0
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => answer(request, response))
  })
  server.on('connection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}

const never = new AbortController().signal

test('everything is sent, with so many requests at a time, over connections that are kept', async () => {
  const waiting: ServerResponse[] = []
  let requests = 0
  // Nobody is answered before seven wait: with fewer requests at a time this would hang.
  await using peer = await startPeer((_request, response) => {
    requests++
    waiting.push(response)
    if (waiting.length < 7 && requests < 300) return
    for (const held of waiting.splice(0)) held.end('{"status":"queued","event_id":"x"}')
  })
  await using connections = keepAlive(peer.url, 7)
  const client = createClient({ baseUrl: peer.url, fetch: connections.fetch })
  const sent = nothingSent(workload.topics)
  await publishAll(client, sendings(workload), { concurrency: 7, sent, signal: never })
  expect(sent).toMatchObject({ total: 300, retries: 0 })
  const topics = [...sent.byTopic.values()]
  expect(topics.reduce((sum, topic) => sum + topic.sent, 0)).toBe(300)
  expect(topics.reduce((sum, topic) => sum + topic.unique, 0)).toBe(210)
  expect(peer.connections()).toBe(7)
})

test('a retried request is counted, and the event is sent once as far as the figures go', async () => {
  let requests = 0
  await using peer = await startPeer((_request, response) => {
    response.statusCode = ++requests % 3 === 0 ? 503 : 200
    response.end('{"status":"queued","event_id":"x"}')
  })
  await using connections = keepAlive(peer.url, 5)
  const retry = { delayFirstMs: 1, delayMaxMs: 5 }
  const client = createClient({ baseUrl: peer.url, fetch: connections.fetch, retry })
  const sent = nothingSent(workload.topics)
  await publishAll(client, sendings(workload), { concurrency: 5, sent, signal: never })
  expect(sent.total).toBe(300)
  expect(sent.retries).toBe(requests - 300)
})

test('an event that is refused ends the run, and the other requests with it', async () => {
  let requests = 0
  await using peer = await startPeer((_request, response) => {
    if (++requests === 20) response.writeHead(422).end('{"code":"invalid_event"}')
    else if (requests < 20) response.end('{"status":"queued","event_id":"x"}')
    // The rest hangs: only being called off ends it.
  })
  await using connections = keepAlive(peer.url, 5)
  const client = createClient({ baseUrl: peer.url, fetch: connections.fetch })
  const sent = nothingSent(workload.topics)
  const run = publishAll(client, sendings(workload), { concurrency: 5, sent, signal: never })
  await expect(run).rejects.toMatchObject({ code: 'invalid_event' })
  expect(sent.total).toBeLessThan(20)
})

const startPublisher = (...args: string[]) => startWith({}, ...args)

function startWith(more: Readonly<Record<string, string>>, ...args: string[]) {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const env = { ...process.env, ...more }
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  return { child, stderr: () => stderr, exited: once(child, 'exit') as Promise<[number | null]> }
}

test('Ctrl-C ends it within a second, with status 130 and a word about how far it came', async () => {
  const asked = Promise.withResolvers<void>()
  await using peer = await startPeer((_request, response) => {
    asked.resolve()
    response.writeHead(503).end('{"code":"broker_unavailable"}')
  })
  const { child, stderr, exited } = startPublisher('--url', peer.url, '--events', '1000')
  await asked.promise
  const at = performance.now()
  child.kill('SIGINT')
  expect(await exited).toEqual([130, null])
  expect(performance.now() - at).toBeLessThan(1_000)
  expect(stderr()).toContain('stopped: 0 of 1,000 events sent')
})

test('a system that does not get ready is an error with status 1 that names what it answered', async () => {
  await using peer = await startPeer((_request, response) => {
    response.writeHead(503).end('{"code":"broker_unavailable"}')
  })
  const { stderr, exited } = startPublisher('--url', peer.url, '--ready-seconds', '1')
  expect(await exited).toEqual([1, null])
  expect(stderr()).toContain('broker_unavailable')
})

test.each([
  ['--events', '0'],
  ['--events', '1e3'],
  ['--duplicates', '1'],
  ['--seed', 'with space'],
  ['--url', '127.0.0.1:8080'],
])('%s %s is refused before anything is sent', async (option, value) => {
  const { stderr, exited } = startPublisher(option, value)
  expect(await exited).toEqual([2, null])
  expect(stderr()).toContain(option)
})

const file = fileURLToPath(import.meta.url)

test.each([
  ['from its variable', { SEKALI_TOKEN: 'token-a', SEKALI_TOKEN_FILE: '' }, 'Bearer token-a'],
  ['from a file', { SEKALI_TOKEN: '', SEKALI_TOKEN_FILE: 'token-b' }, 'Bearer token-b'],
  ['not where both are empty', { SEKALI_TOKEN: '', SEKALI_TOKEN_FILE: '' }, undefined],
])('a key is shown to the gateway, and to nobody else: %s', async (_, given, expected) => {
  await using folder = await temporaryFolder('sekali-test-')
  const path = join(folder.path, 'token')
  await writeFile(path, `${given.SEKALI_TOKEN_FILE}\n`)
  const seen = new Set<string | undefined>()
  await using peer = await startPeer((request, response) => {
    seen.add(request.headers.authorization)
    response.writeHead(503).end('{"code":"broker_unavailable"}')
  })
  const env = { ...given, SEKALI_TOKEN_FILE: given.SEKALI_TOKEN_FILE && path }
  const { stderr, exited } = startWith(env, '--url', peer.url, '--ready-seconds', '1')
  await exited
  expect([...seen]).toEqual([expected])
  expect(stderr()).not.toContain('token-')
})

test('a key that cannot be read, or that is given twice, is refused in words, with status 2', async () => {
  for (const [env, words] of [
    [{ SEKALI_TOKEN_FILE: '/nowhere' }, /SEKALI_TOKEN_FILE: the file cannot be read \(ENOENT\)/],
    [{ SEKALI_TOKEN_FILE: file, SEKALI_TOKEN: 'token-a' }, /SEKALI_TOKEN and SEKALI_TOKEN_FILE are both set/],
  ] as const) {
    const { stderr, exited } = startWith(env)
    expect(await exited).toEqual([2, null])
    expect(stderr()).toMatch(words)
  }
})
