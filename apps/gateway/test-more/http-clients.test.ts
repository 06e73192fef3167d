/** Clients that others have written, through a real nginx that is left as it comes: it speaks HTTP/1.0 to the gateway. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createClient } from '@sekali/client/client'
import { freePort } from '@sekali/servers/free-port'
import { startGateway } from '@sekali/testkit/app'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { fillLog } from '@sekali/testkit/fill-log'
import { ownPrefix, ownStore } from '@sekali/testkit/own'
import axios from 'axios'
import got from 'got'
import ky from 'ky'
import { request } from 'undici'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { eventBody, post } from '../test/gateway.ts'

const many = 40_000
const pythonFile = fileURLToPath(new URL('clients/client.py', import.meta.url))
const npmFile = fileURLToPath(new URL('clients/read-with.ts', import.meta.url))

/** Its answers are buffered, as they are where nobody has said otherwise. */
const configuration = (door: number, gateway: string, folder: string) => `
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
daemon off;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${door};
    location /log/ {
      proxy_pass ${gateway}/;
      proxy_set_header Host $host;
    }
  }
}
`

async function startNginx(gateway: string) {
  const folder = await mkdtemp(join(tmpdir(), 'sekali-nginx-'))
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  await writeFile(file, configuration(port, gateway, folder))
  const child = spawn('/usr/sbin/nginx', ['-p', folder, '-e', join(folder, 'error.log'), '-c', file], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const exited = once(child, 'exit')
  const url = `http://127.0.0.1:${port}/log`
  await eventually(async () => expect((await fetch(`${url}/healthz`)).status).toBe(200))
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill('SIGQUIT')
      await exited
      await rm(folder, { recursive: true })
    },
  }
}

let store: Awaited<ReturnType<typeof ownStore>>
beforeAll(async () => {
  await requireDebian('nginx', 'curl', 'python3-requests', 'python3-httpx')
  store = await ownStore()
  await fillLog(
    store,
    { many },
    { payload: `json_build_object('line', E'a\\u2028b\\u0085c', 'x', repeat('x', 500))` },
  )
})
afterAll(() => store[Symbol.asyncDispose]())

async function ownGateway() {
  await using stack = new AsyncDisposableStack()
  const servers = { REDIS_URL: inject('redisUrl'), DATABASE_URL: store.url, REDIS_PREFIX: ownPrefix() }
  const env = { ...servers, LOG_LEVEL: 'warn' }
  const gateway = stack.use(await startGateway(env))
  const nginx = stack.use(await startNginx(gateway.url))
  const parts = stack.move()
  return { gateway, env, url: nginx.url, [Symbol.asyncDispose]: () => parts.disposeAsync() }
}

interface Reader {
  readonly name: string
  /** Writes the lines of a replay as they come. */
  readonly command: string
  readonly args: readonly string[]
}

const python = (library: string): Reader => ({
  name: library,
  command: '/usr/bin/python3',
  args: [pythonFile, library, 'read'],
})
const npm = (name: string): Reader => ({
  name,
  command: process.execPath,
  args: [npmFile, name],
})
const curl = { name: 'curl', command: 'curl', args: ['-sSN', '-H', 'Accept: application/x-ndjson'] }
const readers: readonly Reader[] = [
  curl,
  ...['requests', 'httpx'].map(python),
  ...['fetch', 'undici', 'axios', 'got', 'ky'].map(npm),
]

/** Runs a reader; `onLine` is called once when the first line has come. */
async function read({ command, args }: Reader, url: string, onLine = async () => {}) {
  const child = spawn(command, [...args, `${url}/events?topic=many`], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = text(child.stderr)
  let lines = 0
  let acting: Promise<void> | undefined
  child.stdout.on('data', (chunk: Buffer) => {
    for (const byte of chunk) if (byte === 0x0a) lines += 1
    if (lines > 0) acting ??= onLine()
  })
  const [code] = await once(child, 'close')
  await acting
  return { code, lines, said: await said }
}

test.each(readers)('$name reads a whole replay, line by line, through nginx', async (reader) => {
  await using own = await ownGateway()
  expect(await read(reader, own.url)).toEqual({ code: 0, lines: many, said: '' })
})

test.each(readers)(
  '$name reports an error when the gateway stops in the middle of a replay [P5]',
  async (reader) => {
    await using own = await ownGateway()
    const locker = await store.pool.connect()
    try {
      // Of what is locked nothing more is read, so the replay cannot be over before the gateway is.
      const stop = async () => {
        await locker.query('BEGIN; LOCK TABLE events')
        own.gateway.signal('SIGTERM')
        await own.gateway.exited
      }
      const { code, lines, said } = await read(reader, own.url, stop)
      expect([code === 0, lines < many], said).toEqual([false, true])
      expect(said).not.toBe('')
    } finally {
      await locker.query('ROLLBACK')
      locker.release()
    }
  },
)

test('our own client has all of it, although nginx made an end of the connection of a gateway that was killed [P5]', async () => {
  await using own = await ownGateway()
  const locker = await store.pool.connect()
  const kill = async () => {
    await locker.query('BEGIN; LOCK TABLE events')
    own.gateway.signal('SIGKILL')
    await own.gateway.exited
    await locker.query('ROLLBACK')
    locker.release()
    return await startGateway({ ...own.env, PORT: new URL(own.gateway.url).port })
  }
  let again: ReturnType<typeof kill> | undefined
  let last = 0
  for await (const { seq } of createClient({ baseUrl: own.url }).replay({ topic: 'many' })) {
    expect(seq).toBe(last + 1)
    last = seq
    again ??= kill()
  }
  expect(last).toBe(many)
  await (await again)?.[Symbol.asyncDispose]()
})

const publishInPython = async (library: string, url: string) => {
  const child = spawn('/usr/bin/python3', [pythonFile, library, 'publish', url])
  return { status: (await text(child.stdout)).trim() }
}
const body = (name: string) => JSON.parse(eventBody({ topic: 'published', event_id: name })) as object
type Status = { readonly status: string }

const publishers: Readonly<Record<string, (url: string, name: string) => Promise<Status>>> = {
  requests: (url) => publishInPython('requests', url),
  httpx: (url) => publishInPython('httpx', url),
  fetch: async (url, name) => (await (await fetch(url, post(JSON.stringify(body(name))))).json()) as Status,
  axios: async (url, name) => (await axios.post<Status>(url, body(name))).data,
  got: async (url, name) => await got.post(url, { json: body(name) }).json<Status>(),
  ky: async (url, name) => await ky.post(url, { json: body(name) }).json<Status>(),
  undici: async (url, name) => {
    const headers = { 'Content-Type': 'application/json' }
    const answer = await request(url, { method: 'POST', headers, body: JSON.stringify(body(name)) })
    return (await answer.body.json()) as Status
  },
}

test('each of them publishes as its manual says', async () => {
  await using own = await ownGateway()
  for (const [name, publish] of Object.entries(publishers)) {
    expect([name, (await publish(`${own.url}/publish`, name)).status]).toEqual([name, 'queued'])
  }
})
