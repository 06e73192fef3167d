/** The section of docs/operating.md about backups, typed as it stands, while readers are ahead of what is restored. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '@sekali/servers/free-port'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { startApp } from '@sekali/testkit/app'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { repositoryRoot } from '../src/command/repository.ts'
import { type Step, stepsOf } from '../test/page/page.ts'
import { compare, openTerminals, type Terminals } from '../test/page/terminals.ts'
import { type DebianPostgres, debianPostgres } from '../test/restore/debian-postgres.ts'
import { allFolded, logOf, openTail, publish, readBehind, toldBehind } from '../test/restore/readers.ts'
import { runBootstrap, type Service } from '../test/start.ts'

const page = 'docs/operating.md'

/** The steps below a heading, by what their commands begin with. */
async function stepsBelow(heading: string, inPlace: (text: string) => string = (text) => text) {
  const text = await readFile(join(repositoryRoot, page), 'utf8')
  const [before = '', section] = text.split(new RegExp(`^### ${heading}$`, 'm'))
  if (section === undefined) throw new Error(`${page} has no heading ${heading}`)
  const lines = before.split('\n').length
  const steps = stepsOf(inPlace(section.split(/^##/m)[0] ?? ''))
  return steps.map((step): Step => ({ ...step, line: step.line + lines - 1 }))
}

async function type({ line, command, output }: Step, terminals: Terminals): Promise<void> {
  const where = `${page}:${line}`
  if (command === undefined) return compare(where, 'Ctrl-C', output, await terminals.interrupt())
  if (command.startsWith('npm start')) return await terminals.start(command, output, where)
  const { printed, code } = await terminals.run(command)
  compare(where, command, output, printed)
  expect(code, `${where}: ${command}`).toBe(0)
}

/** What npm runs here, but in any folder, which has its data in it: to start a copy of the repository takes twice as long. */
const npm = `npm() {
  [ "$1" = run ] && shift
  [ "$1" = -s ] && shift
  local command=$1
  shift
  [ "$1" = -- ] && shift
  case $command in start|backup) set -- --data .sekali "$@";; esac
  node '${repositoryRoot}infra/local/bootstrap.mjs' "$command" "$@"
}`

const ids = (life: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${life}-${from + index}`)

test('npm start: the commands restore a backup and a copy, and whoever had read further is told', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const port = String(await freePort())
  const url = `http://127.0.0.1:${port}`
  const steps = await stepsBelow('What npm start runs', (text) => text.replaceAll('8080', port))
  await using terminals = openTerminals(folder.path, port, { functions: npm })
  const typeUntil = async (words: string) => {
    for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
      await type(step, terminals)
      if (step.command?.includes(words)) return
    }
    throw new Error(`the page has no ${words}`)
  }
  const start = (folder: string) =>
    terminals.start(`npm start -- --consumers 1 --data ${folder}`, `…\nSekali runs on ${url}\n…`, 'here')
  using leaving = { controller: new AbortController(), [Symbol.dispose]: () => leaving.controller.abort() }

  await start('.sekali')
  await publish(url, 1, 500)
  const first = openTail(url, leaving.controller.signal)
  await refusedWithoutRoom(terminals)
  await typeUntil('backup')
  await publish(url, 501, 600)
  await eventually(() => expect(first.ids).toEqual(ids('first', 1, 600)))
  await terminals.interrupt()
  await typeUntil('npm start -- --data restored')
  expect(await logOf(url)).toEqual(ids('first', 1, 500))
  const { forkedAt, cursor } = await toldBehind(url, '600')
  expect(forkedAt).toBe(500)
  await eventually(() => expect(first.failure()).toMatchObject({ code: 'log_restored', forkedAt, cursor }))
  await publish(url, 501, 650, { life: 'second' })
  // The log is longer than they had read: they are told all the same.
  expect(await toldBehind(url, '600')).toEqual({ forkedAt, cursor })
  const since = ids('second', 501, 650)
  expect(await readBehind(url, cursor, 150)).toEqual(since)
  expect(await readBehind(url, '400', 250)).toEqual([...ids('first', 401, 500), ...since])
  await allFolded(url)

  await typeUntil('npm start -- --data copy')
  // Whoever goes on with what was copied has the places of 650 and of those before it, and others may be further.
  const place = (seq: number) => cursor.replace('.500', `.${seq}`)
  const again = await toldBehind(url, place(660))
  expect(again.forkedAt).toBe(650)
  await publish(url, 651, 670, { life: 'third' })
  expect(await readBehind(url, again.cursor, 20)).toEqual(ids('third', 651, 670))
  expect(await readBehind(url, place(640), 30)).toEqual([
    ...ids('second', 641, 650),
    ...ids('third', 651, 670),
  ])
  await allFolded(url)
}, 240_000)

/** On a file system in memory that has no room for a backup. It takes root, as CI has it. */
async function refusedWithoutRoom(terminals: Terminals): Promise<void> {
  const inside =
    'mount -t tmpfs -o size=64k tmpfs small && npm run -s backup -- small/log.backup; code=$?; ls small'
  const { printed, code } = await terminals.run(
    `mkdir small; export -f npm; unshare --mount bash -c '${inside}; exit $code'`,
  )
  expect(code, printed).toBe(1)
  expect(printed).toMatch(/small\/log\.backup\.part: the disk is full: make room\n$/)
}

test('docker compose, and a PostgreSQL of one’s own: a dump is restored, and who need not be told is not', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await using postgres = await debianPostgres(join(folder.path, 'debian'))
  await migrate(postgres)
  const databaseUrl = `postgres://sekali_owner:secret@127.0.0.1:${postgres.port}/sekali`
  await using apps = ownApps(join(folder.path, 'data'), databaseUrl, await freePort())
  const { url } = apps
  const typed = typing(folder.path, postgres, databaseUrl, apps)
  using leaving = { controller: new AbortController(), [Symbol.dispose]: () => leaving.controller.abort() }

  await apps.start()
  await publish(url, 1, 300)
  const tail = openTail(url, leaving.controller.signal)
  const [dump, restore] = await stepsBelow('With docker compose')
  await typed(dump)
  // So few and one by one that they lie together in Redis, which forgets what was stored by whole nodes.
  for (let n = 301; n <= 305; n += 1) await publish(url, n, n)
  await eventually(() => expect(tail.ids).toEqual(ids('first', 1, 305)))
  await typed(restore)
  // Redis still had all that followed: the log becomes what it was, and nobody is told anything.
  await eventually(async () => expect(await logOf(url)).toEqual(ids('first', 1, 305)))
  await publish(url, 306, 420)
  await eventually(() => expect(tail.ids).toEqual(ids('first', 1, 420)))
  expect(await readBehind(url, '305', 115)).toEqual(ids('first', 306, 420))
  await allFolded(url)

  const [ownDump, ownRestore] = await stepsBelow('With a PostgreSQL of your own')
  await typed(ownDump)
  await publish(url, 421, 460, { isLarge: true }) // of which Redis keeps little
  await eventually(() => expect(tail.ids).toEqual(ids('first', 1, 460)))
  await apps.stop()
  await typed(ownRestore)
  await apps.start()
  const { forkedAt, cursor } = await eventually(() => toldBehind(url, '460'))
  expect(forkedAt).toBe(420)
  await eventually(() => expect(tail.failure()).toMatchObject({ code: 'log_restored', forkedAt, cursor }))
  await publish(url, 421, 480, { life: 'second' })
  expect((await logOf(url)).slice(0, 420)).toEqual(ids('first', 1, 420))
  expect((await logOf(url)).slice(-60)).toEqual(ids('second', 421, 480))
  await allFolded(url)
}, 240_000)

/** Types a step. What docker compose would do with containers happens with `apps`, and with the server of Debian. */
function typing(folder: string, postgres: DebianPostgres, databaseUrl: string, apps: Apps) {
  const docker = `docker() { shift 4; PGHOST=127.0.0.1 PGPORT=${postgres.port} "$@"; }; set -o pipefail`
  const env = { DATABASE_URL: databaseUrl, SUPERUSER_URL: postgres.url }
  const terminals = openTerminals(folder, '0', { env, functions: docker })
  const containers: Record<string, () => Promise<unknown>> = {
    'docker compose stop gateway consumer projector dispatcher': apps.stop,
    'docker compose run --rm migrate': () => migrate(postgres),
    'docker compose up -d --scale consumer=4': apps.start,
  }
  return async (step: Step | undefined): Promise<void> => {
    if (step?.command === undefined) throw new Error(`${page} has no such step`)
    const where = `${page}:${step.line}`
    let all = ''
    for (const line of step.command.split('\n')) {
      if (containers[line] !== undefined) await containers[line]()
      else {
        const { printed, code } = await terminals.run(line)
        expect(code, `${where}: ${line}\n${printed}`).toBe(0)
        all += printed
      }
    }
    compare(where, step.command, step.output, all)
  }
}

/** What the job of docker-compose.yml does. */
async function migrate({ port }: DebianPostgres): Promise<void> {
  await using job = startApp('consumer/src/migrate.ts', {
    SUPERUSER_URL: `postgres://postgres@127.0.0.1:${port}/sekali`,
    DATABASE_URL: `postgres://sekali_owner:secret@127.0.0.1:${port}/sekali`,
    POSTGRES_OWNER_PASSWORD: 'secret',
    POSTGRES_CONSUMER_PASSWORD: 'secret',
    POSTGRES_GATEWAY_PASSWORD: 'secret',
    POSTGRES_PROJECTOR_PASSWORD: 'secret',
    POSTGRES_DISPATCHER_PASSWORD: 'secret',
  })
  expect(await job.exited, job.output()).toBe(0)
}

interface Apps extends AsyncDisposable {
  readonly url: string
  start(): Promise<void>
  stop(): Promise<void>
}

/** Gateway, consumers, a projector and a Redis, which keeps what it has while all of them are stopped. */
function ownApps(data: string, databaseUrl: string, port: number): Apps {
  let service: Service | undefined
  const stop = async () => {
    await service?.[Symbol.asyncDispose]()
    service = undefined
  }
  const args = ['start', '--port', String(port), '--data', data, '--consumers', '2']
  return {
    url: `http://127.0.0.1:${port}`,
    start: async () => {
      // What Redis keeps would make the log what it was, and nobody would have to be told.
      const env = { DATABASE_URL: databaseUrl, KEEP_SECONDS: '0' }
      service = runBootstrap(args, { data, port, env })
      await service.ready()
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
