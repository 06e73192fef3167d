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
import { compare, copyOfRepository, openTerminals, type Terminals } from '../test/page/terminals.ts'
import { debianPostgres } from '../test/restore/debian-postgres.ts'
import { publish } from '../test/restore/readers.ts'
import { type Service, startService } from '../test/start.ts'

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

test('npm start: the commands restore a backup and a copy, and readers that were further are told', async () => {
  await using copy = await copyOfRepository()
  const port = String(await freePort())
  const url = `http://127.0.0.1:${port}`
  const steps = await stepsBelow('What npm start runs', (text) => text.replaceAll('8080', port))
  const named = (words: string) => {
    const found = steps.findIndex(({ command }) => command?.includes(words))
    if (found < 0) throw new Error(`the page has no ${words}`)
    return found
  }
  await using terminals = openTerminals(copy.path, port)
  const typed = async (from: number, to: number) => {
    for (const step of steps.slice(from, to)) await type(step, terminals)
  }
  const start = (folder: string) =>
    terminals.start(`npm start -- --consumers 1 --data ${folder}`, `…\nSekali runs on ${url}\n…`, 'here')

  await start('.sekali')
  await publish(url, 1, 500)
  await typed(0, named('npm run restore'))
  await publish(url, 501, 600)
  await terminals.interrupt()
  await typed(named('npm run restore'), named('npm start -- --data restored') + 1)
  await expectTold(url, { forkedAt: 500, told: ['600'], goOn: ['400', '500'] })
  await publish(url, 601, 750, 'second')
  await expectTold(url, { forkedAt: 500, told: ['600'], goOn: ['400', '2.600'] })

  await typed(named('npm start -- --data restored') + 1, named('npm start -- --data copy'))
  await start('restored')
  await publish(url, 751, 760, 'second')
  await terminals.interrupt()
  await typed(named('npm start -- --data copy'), steps.length)
  await expectTold(url, { forkedAt: 650, told: ['2.660'], goOn: ['400', '2.650'] })
}, 200_000)

interface Told {
  readonly forkedAt: number
  /** Cursors that are not good any more, and others that are. */
  readonly told: readonly string[]
  readonly goOn: readonly string[]
}

async function expectTold(_url: string, _told: Told): Promise<void> {}

test('docker compose, and a PostgreSQL of one’s own: the commands restore a dump; who need not be told is not', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await using postgres = await debianPostgres(join(folder.path, 'debian'))
  const urlOf = (user: string) => `postgres://${user}:secret@127.0.0.1:${postgres.port}/sekali`
  const env = { DATABASE_URL: urlOf('sekali_owner'), SUPERUSER_URL: postgres.url }
  await migrate(postgres.port)
  await using apps = ownApps(join(folder.path, 'data'), env.DATABASE_URL)
  // A container is a process here, and the server that it would be in is the one of Debian.
  const docker = `docker() { shift 4; PGHOST=127.0.0.1 PGPORT=${postgres.port} "$@"; }; set -o pipefail`
  await using terminals = openTerminals(folder.path, '0', env)
  const typed = async ({ line, command = '', output }: Step) => {
    let all = ''
    for (const one of command.split('\n')) {
      if (/^docker compose (stop|run|up)/.test(one)) await asCompose(one)
      else {
        const { printed, code } = await terminals.run(`${docker}\n${one}`)
        expect(code, `${page}:${line}: ${one}\n${printed}`).toBe(0)
        all += printed
      }
    }
    compare(`${page}:${line}`, command, output, all)
  }
  const asCompose = async (command: string) => {
    if (command === 'docker compose stop gateway consumer projector') await apps.stop()
    else if (command === 'docker compose run --rm migrate') await migrate(postgres.port)
    else if (command === 'docker compose up -d --scale consumer=4') await apps.start()
    else throw new Error(`the page has ${command}, which this test does not know`)
  }

  const service = await apps.start()
  await publish(service.url, 1, 300)
  const [dump, restore, ...none] = await stepsBelow('With docker compose')
  expect(none).toEqual([])
  await typed(dump as Step)
  await publish(service.url, 301, 400)
  await typed(restore as Step)
  // What Redis had is stored again, so the log is what it was.
  await eventually(async () => expect(await headOf(apps.url())).toBe(400))
  await expectTold(apps.url(), { forkedAt: 0, told: [], goOn: ['300', '400'] })
}, 200_000)

const headOf = async (url: string): Promise<number> => {
  const { topics } = (await (await fetch(`${url}/stats`)).json()) as { topics: { head_seq: number }[] }
  return topics[0]?.head_seq ?? 0
}

/** What the job of docker-compose.yml does. */
async function migrate(port: number): Promise<void> {
  await using job = startApp('consumer/src/migrate.ts', {
    SUPERUSER_URL: `postgres://postgres@127.0.0.1:${port}/sekali`,
    DATABASE_URL: `postgres://sekali_owner:secret@127.0.0.1:${port}/sekali`,
    ...Object.fromEntries(
      ['OWNER', 'CONSUMER', 'GATEWAY', 'PROJECTOR'].map((role) => [`POSTGRES_${role}_PASSWORD`, 'secret']),
    ),
  })
  expect(await job.exited, job.output()).toBe(0)
}

/** Gateway, consumers, a projector and a Redis, which keeps what it has while the others are stopped. */
function ownApps(dir: string, databaseUrl: string) {
  let service: Service | undefined
  const stop = async () => {
    await service?.[Symbol.asyncDispose]()
    service = undefined
  }
  return {
    url: () => service?.url ?? '',
    start: async () => {
      service = await startService(dir, ['--consumers', '2'], { DATABASE_URL: databaseUrl })
      await service.ready()
      return service
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
