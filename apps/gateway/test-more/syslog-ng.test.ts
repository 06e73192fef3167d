/** A shipper of logs that knows nothing of Sekali: what it sends is what is stored, whatever happens to the gateway. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGateway } from '@sekali/testkit/app'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { beforeAll, expect, test } from 'vitest'
import { ownSystem } from '../test/system.ts'

beforeAll(() => requireDebian('syslog-ng-core', 'syslog-ng-mod-http'))

/**
 * As docs/guides/log-pipeline.md has it. UNIQID stays the same when a line is sent again, which makes it an event id; one
 * worker keeps the order; `retries` is high because a line that was tried so often is dropped.
 */
const configuration = (logFile: string, url: string) => `
@version: 3.38
options { use-uniqid(yes); time-reopen(1); stats-freq(0); };
source app { file("${logFile}" follow-freq(0.1) flags(no-parse)); };
destination sekali {
  http(
    url("${url}/publish")
    method("POST")
    headers("Content-Type: application/x-ndjson")
    body("$(format-json --scope none topic=app.log event_id=$UNIQID timestamp=$ISODATE source=host-1 payload.line=$MESSAGE)")
    delimiter("\\n")
    batch-lines(100)
    batch-timeout(100)
    workers(1)
    retries(1000000)
    timeout(10)
  );
};
log { source(app); destination(sekali); flags(flow-control); };
`

async function startSyslogNg(folder: string, logFile: string, url: string): Promise<AsyncDisposable> {
  const file = join(folder, 'syslog-ng.conf')
  await writeFile(file, configuration(logFile, url))
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
    await write(1_000)
    // In the middle of them.
    const before = await storedNow()
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
