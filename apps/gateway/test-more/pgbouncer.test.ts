/** A real PgBouncer between Sekali and PostgreSQL, in each of its modes. It is installed where it is missing. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { freePort } from '@sekali/servers/free-port'
import { startApp, startGateway } from '@sekali/testkit/app'
import { requireDebian } from '@sekali/testkit/debian'
import { eventually } from '@sekali/testkit/eventually'
import { ownPrefix } from '@sekali/testkit/own'
import { ownFolder } from '@sekali/testkit/servers'
import { beforeAll, expect, inject, test } from 'vitest'
import { eventBody, post } from '../test/gateway.ts'

beforeAll(() => requireDebian('pgbouncer'))

async function ownPgBouncer(postgresUrl: string, mode: string) {
  const { hostname, port, username, password } = new URL(postgresUrl)
  const folder = await ownFolder()
  const own = await freePort()
  const users = join(folder.path, 'users.txt')
  const settings = join(folder.path, 'pgbouncer.ini')
  await writeFile(users, `"${username}" "${decodeURIComponent(password)}"\n`)
  await writeFile(
    settings,
    `[databases]
* = host=${hostname} port=${port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${own}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = ${mode}
`,
  )
  // It does not run as root.
  const isRoot = process.getuid?.() === 0
  if (isRoot) for (const path of [folder.path, users, settings]) await chmod(path, 0o755)
  const child = spawn('pgbouncer', [...(isRoot ? ['-u', 'nobody'] : []), settings], { stdio: 'ignore' })
  const exited = once(child, 'exit')
  return {
    url: Object.assign(new URL(postgresUrl), { port: String(own) }).href,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL')
      await exited
      await folder[Symbol.asyncDispose]()
    },
  }
}

test.each(['session', 'transaction', 'statement'])(
  'behind a PgBouncer in %s mode gateway, consumer and projector say what it is and what to do',
  async (mode) => {
    await using pooler = await ownPgBouncer(inject('postgresUrl'), mode)
    const env = { REDIS_URL: inject('redisUrl'), REDIS_PREFIX: ownPrefix(), DATABASE_URL: pooler.url }
    await using gateway = await startGateway(env)
    await using consumer = startApp('consumer/src/main.ts', env)
    await using projector = startApp('projector/src/main.ts', env)
    const words =
      'behind a pooler that refuses startup parameters (08P01): point DATABASE_URL at PostgreSQL itself'
    await eventually(async () => {
      expect((await fetch(`${gateway.url}/publish`, post(eventBody()))).status).toBe(200)
      for (const app of [gateway, consumer, projector]) expect(app.output()).toContain(words)
    }, 45_000)
    const ready = await fetch(`${gateway.url}/readyz`)
    expect(ready.status).toBe(200)
    expect(await ready.json()).toMatchObject({
      status: 'ready',
      store: 'unavailable',
      warnings: [expect.stringContaining(words)],
    })
    await using preflight = startApp('consumer/src/operate/preflight.ts', { DATABASE_URL: pooler.url })
    expect(await preflight.exited).toBe(1)
    expect(preflight.output()).toMatch(
      /startup parameters \(08P01\): .*ignore_startup_parameters.*Tried user \w+, database/,
    )
    const doctor = await (await fetch(`${gateway.url}/doctor`)).text()
    expect(doctor).toContain(
      '"check":"postgres.reachable","level":"problem","message":"PostgreSQL is behind a pooler',
    )
  },
)
