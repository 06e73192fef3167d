/**
 * A full disk under a running system, on a small file system in memory, which only the system sees: mounted where it starts,
 * in mounts of its own. It takes root, as CI has it.
 */
import { spawn } from 'node:child_process'
import { mkdir, open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { freePort } from '@sekali/servers/free-port'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import type { RunFile } from '../src/system/run-file.ts'

const bootstrap = fileURLToPath(new URL('../bootstrap.mjs', import.meta.url))
const recoverMs = 40_000

/** `npm start` with two consumers, whose data folder has `mounted`, of so many megabytes, as a file system of its own. */
async function startOnSmallDisk(mounted: string, megabytes: number) {
  const folder = await temporaryFolder('sekali-test-')
  const data = join(folder.path, 'data')
  const place = join(data, mounted)
  await mkdir(place, { recursive: true, mode: 0o711 })
  const port = String(await freePort())
  const script = 'mount -t tmpfs -o "size=$1,mode=0711" tmpfs "$2" && shift 2 && exec "$@"'
  const start = [process.execPath, bootstrap, 'start', '--port', port, '--data', data, '--consumers', '2']
  const args = ['--mount', 'sh', '-c', script, 'sh', `${megabytes}m`, place, ...start]
  const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  /** The same file as the system sees it. */
  const inside = (path: string) => `/proc/${child.pid}/root${path}`
  const filler = inside(join(place, 'filler'))
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    exited,
    said: () => said,
    running: async () => JSON.parse(await readFile(inside(join(data, 'run.json')), 'utf8')) as RunFile,
    async ready() {
      await eventually(() => expect(said).toContain('Ctrl-C stops everything'), 60_000)
    },
    fill: () => fillUp(filler),
    makeRoom: () => rm(filler),
    stop: () => child.kill('SIGINT'),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null) child.kill('SIGTERM')
      await exited
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** Writes until not even a page has room. */
async function fillUp(path: string): Promise<void> {
  const file = await open(path, 'a')
  for (const bytes of [1024 * 1024, 4096]) {
    const block = Buffer.alloc(bytes, 1)
    for (;;) {
      const outcome = await file.write(block).catch((error: NodeJS.ErrnoException) => error.code)
      if (outcome === 'ENOSPC') break
    }
  }
  await file.close()
}

async function publish(url: string, id: string) {
  const timestamp = '2026-01-02T03:04:05Z'
  const event = {
    topic: 'orders',
    event_id: id,
    timestamp,
    source: 'shop',
    payload: { text: 'x'.repeat(5_000) },
  }
  const response = await fetch(`${url}/publish`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(event),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

async function storedIds(url: string): Promise<string[]> {
  const answer = await fetch(`${url}/events?topic=orders&after=0`)
  return ((await answer.json()) as { event_id: string }[]).map((event) => event.event_id)
}

test('a full disk under data and logs ends nothing: publishing is refused in words, and goes on when there is room [P9]', async () => {
  await using system = await startOnSmallDisk('', 400)
  await system.ready()
  expect((await publish(system.url, 'e1')).status).toBe(200)
  await eventually(async () => expect(await storedIds(system.url)).toEqual(['e1']))
  const before = await system.running()

  await system.fill()
  const refused = await eventually(async () => {
    const answer = await publish(system.url, 'refused')
    expect(answer.status).toBe(503)
    return answer
  }, recoverMs)
  expect(refused.body).toMatchObject({ code: 'broker_unavailable', detail: expect.stringMatching(/Redis/) })
  await eventually(() =>
    expect(system.said()).toMatch(/the disk of \S+ is full, [\d,]+ bytes are free: make room/),
  )
  // It has tried again and again meanwhile.
  await eventually(
    () => expect(system.said().match(/Redis .*next (start|try)/g)?.length).toBeGreaterThan(2),
    recoverMs,
  )
  const ready = await (await fetch(`${before.gateway.health}/readyz`)).json()
  expect(ready).toMatchObject({ status: 'not_ready', problems: [expect.stringMatching(/Redis/)] })

  await system.makeRoom()
  await eventually(async () => expect((await publish(system.url, 'e2')).status).toBe(200), recoverMs)
  await eventually(async () => expect(await storedIds(system.url)).toContain('e2'), recoverMs)
  await eventually(() => expect(system.said()).toMatch(/the disk of \S+ has room again: [\d,]+ bytes/))
  expect((await storedIds(system.url))[0]).toBe('e1')
  // No app was started anew for it.
  await eventually(async () => {
    const after = await system.running()
    expect(after.gateway.pid).toBe(before.gateway.pid)
    expect(after.consumers).toEqual(before.consumers)
    expect(after.redis.pid).not.toBe(null)
  }, recoverMs)
  system.stop()
  expect(await system.exited).toBe(0)
})

test('a full disk of PostgreSQL alone keeps no event from being taken, and all are stored when there is room [P9]', async () => {
  await using system = await startOnSmallDisk('postgres', 300)
  await system.ready()
  const { consumers } = await system.running()
  await system.fill()
  const ids = Array.from({ length: 40 }, (_, index) => `e${index}`)
  for (const id of ids) expect((await publish(system.url, id)).status).toBe(200)
  const said = async () => {
    const texts = await Promise.all(
      consumers.map(async ({ health }) => (await fetch(`${health}/readyz`)).text()),
    )
    return texts.join('\n')
  }
  await eventually(
    async () => expect(await said()).toMatch(/the disk of PostgreSQL is full \(53100\)/),
    recoverMs,
  )
  await eventually(
    () => expect(system.said()).toMatch(/not ready: turns fail: the disk of PostgreSQL is full/),
    recoverMs,
  )
  await system.makeRoom()
  await eventually(
    async () => expect((await storedIds(system.url)).toSorted()).toEqual(ids.toSorted()),
    recoverMs,
  )
})
