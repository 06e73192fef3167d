/** A shipper of logs that knows nothing of Sekali: what it sends is what is stored, whatever happens to the gateway. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startGateway } from '@sekali/testkit/app'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { beforeAll, expect, test } from 'vitest'
import { ownSystem } from '../test/system.ts'

beforeAll(() => requireDebian('syslog-ng-core', 'syslog-ng-mod-http'))

const guide = fileURLToPath(new URL('../../../docs/guides/log-pipeline.md', import.meta.url))

/** That of the guide, with a file and a gateway of ours, and without waiting long for new lines. */
async function configuration(logFile: string, url: string): Promise<string> {
  const [, written = ''] = /```conf\n([\s\S]*?)```/.exec(await readFile(guide, 'utf8')) ?? []
  const ours = written
    .replace('use-uniqid(yes);', 'use-uniqid(yes); time-reopen(1); stats-freq(0);')
    .replace('file("/var/log/app.log"', `file("${logFile}" follow-freq(0.1)`)
    .replace('http://127.0.0.1:8080', url)
  return `@version: 3.38\n${ours}`
}

async function startSyslogNg(folder: string, logFile: string, url: string): Promise<AsyncDisposable> {
  const file = join(folder, 'syslog-ng.conf')
  await writeFile(file, await configuration(logFile, url))
  const own = (name: string) => join(folder, name)
  const options = ['--persist-file', own('persist'), '--pidfile', own('pid'), '--control', own('control')]
  const shipper = spawn('/usr/sbin/syslog-ng', ['--foreground', '--no-caps', '--cfgfile', file, ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const exited = once(shipper, 'exit')
  return {
    async [Symbol.asyncDispose]() {
      shipper.kill('SIGKILL')
      await exited
    },
  }
}

test('syslog-ng ships a file while the gateway is killed again and again: the log is the file', async () => {
  await using stack = new AsyncDisposableStack()
  const system = stack.use(await ownSystem())
  const folder = await mkdtemp(join(tmpdir(), 'sekali-syslog-ng-'))
  stack.defer(() => rm(folder, { recursive: true }))
  const logFile = join(folder, 'app.log')
  await writeFile(logFile, '')
  stack.use(await startSyslogNg(folder, logFile, system.url))

  const storedNow = async () => (await system.stats()).totals.stored ?? 0
  const lines: string[] = []
  const write = async (count: number) => {
    const more = Array.from({ length: count }, (_, n) => `line ${lines.length + n} “quoted” \\ {"a": 1}`)
    lines.push(...more)
    await appendFile(logFile, more.map((line) => `${line}\n`).join(''))
  }
  let gateway = system.gateway
  for (let round = 1; round <= 4; round++) {
    // Before they are written: all may be stored by the time that the figures are read.
    const before = await storedNow()
    await write(1_000)
    // In the middle of them.
    await eventually(async () => expect(await storedNow()).toBeGreaterThan(before), 20_000)
    gateway.signal('SIGKILL')
    await gateway.exited
    await write(500)
    gateway = stack.use(await startGateway({ ...system.env, PORT: new URL(system.url).port }))
  }
  await eventually(async () => expect(await storedNow()).toBe(lines.length), 60_000)

  const answer = await fetch(`${system.url}/events?topic=app.log&after=0`, {
    headers: { accept: 'application/x-ndjson' },
  })
  const events = (await answer.text()).split('\n').filter((line) => line !== '')
  expect(events.map((line) => JSON.parse(line).payload.line)).toEqual(lines)
  expect((await system.settled()).totals).toMatchObject({ conflicts: 0, dead: 0, lost: 0 })
})
