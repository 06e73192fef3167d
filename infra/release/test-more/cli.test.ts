import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import process from 'node:process'
import { freePort } from '@sekali/servers/free-port'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { eventually } from '@sekali/testkit/eventually'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installed, nodeOf, otherUser, type Place, type Running } from './installed.ts'

// @sekali/cli as people get it: from its tarball, in an empty folder outside of the clone. pack.ts has built it.

const root = join(import.meta.dirname, '../../..')
const open = new AsyncDisposableStack()
const nodes = new Map<string, Place & { readonly bin: string }>()
let tarball = ''
let packed: readonly { readonly path: string; readonly mode: number }[] = []

beforeAll(async () => {
  const to = open.use(await temporaryFolder('sekali-tarball-', 0o755))
  const npm = spawn('npm', ['pack', join(root, 'apps/cli/dist'), '--json', '--pack-destination', to.path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said = await npm.stdout.toArray()
  const [{ filename, files }] = JSON.parse(Buffer.concat(said).toString())
  packed = files
  tarball = join(to.path, filename)
  const versions = ['20', '22.18', '24']
  for (const [index, node] of (await Promise.all(versions.map(nodeOf))).entries()) {
    nodes.set(versions[index] ?? '', open.use(node))
  }
})

afterAll(() => open.disposeAsync())

const binOf = (version: string): string => nodes.get(version)?.bin ?? ''

test('the tarball has programs, migrations, licences and a README, and no source, test or secret', () => {
  const allowed =
    /^(sekali|start|demo|backup|restored?|cli|main|gateway|consumer|migrate|first-key|preflight|projector|dispatcher|check|publisher|shared-[\w-]+|confined\/[\w-]+)\.mjs$|^migrations\/(\w+\.sql|meta\/\w+\.json)$|^console\/(index\.html|assets\/[\w-]+\.(js|css|svg))$|^(apt(-redis)?\.sh|roles\.sql|README\.md|LICENSE|THIRD-PARTY-LICENSES\.txt|package\.json)$/
  expect(packed.filter(({ path }) => !allowed.test(path))).toEqual([])
  expect(packed.length).toBeGreaterThan(20)
  const ofConsole = packed.filter(({ path }) => path.startsWith('console/')).map(({ path }) => path)
  for (const ending of ['index.html', '.js', '.css', '.svg']) {
    expect(ofConsole.some((path) => path.endsWith(ending))).toBe(true)
  }
  expect(packed.find(({ path }) => path === 'sekali.mjs')?.mode).toBe(0o755)
})

// Definitions are TypeScript, which Node 20 cannot run.
test.each([
  ['20', 'each command but projection check', ['--exclude', '**/check.test.ts']],
  ['22.18', 'projection check', ['check.test.ts']],
])(
  'of the package, on Node %s, %s does what its tests say',
  async (version, _, files) => {
    await using place = await installed([tarball], {}, binOf(version))
    const vitest = spawn(
      join(root, 'node_modules/.bin/vitest'),
      ['run', '--config', 'vitest.workspace.ts', '--project', 'cli', ...files],
      {
        cwd: root,
        env: {
          ...process.env,
          SEKALI_REPORTS: '',
          SEKALI_TESTED_FILE: join(place.path, 'node_modules/@sekali/cli/sekali.mjs'),
          SEKALI_TESTED_NODE: join(binOf(version), 'node'),
        },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    const said = vitest.stdout.toArray()
    const [code] = await once(vitest, 'close')
    expect(code, Buffer.concat(await said).toString()).toBe(0)
  },
  240_000,
)

test('on Node 20 the commands that bring the system say which Node they need, and end with 2', async () => {
  await using place = await installed([tarball], {}, binOf('20'))
  for (const command of ['start', 'demo']) {
    const { code, err } = await place.run('npx', ['@sekali/cli', command])
    expect(code).toBe(2)
    expect(err).toMatch(new RegExp(`^sekali: ${command} needs Node 22\\.18 or newer, and this is 20\\.`))
    const help = await place.run('npx', ['@sekali/cli', command, '--help'])
    expect(help).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^Usage: npx @sekali\/cli /) })
    expect(help.out).not.toMatch(/docs\/|examples\//)
  }
})

test('the demo balances in an empty folder on Node 22.18, and leaves nothing', async () => {
  await using place = await installed([tarball], {}, binOf('22.18'))
  const { code, out, err } = await place.run('npx', ['@sekali/cli', 'demo', '--events', '2000', '--json'])
  expect(code, err).toBe(0)
  expect(out.trimEnd().split('\n')).toHaveLength(1)
  expect(JSON.parse(out)).toMatchObject({ events: 2_000 })
  expect(err).toContain('balanced: accepted 2,000 = stored 1,400 + duplicates 600')
  expect(await processesOf(place.path)).toEqual([])
})

test('start refuses in a sentence on Node 22.18, and a Ctrl-C while it starts ends it with 130', async () => {
  await using place = await installed([tarball], {}, binOf('22.18'))
  const command = join(place.path, 'node_modules', '.bin', 'sekali')
  const started = (port: number, ...more: string[]) =>
    [command, ['start', '--port', String(port), ...more]] as const
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const taken = await place.run(...started((server.address() as AddressInfo).port))
  server.close()
  expect(taken).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^\nPort \d+ is taken: .*\nOr choose .*\n$/),
  })

  const without = { REDIS_SERVER: '/nowhere' }
  const { err: ways } = await place.run(...started(await freePort()), without)
  expect(ways).toMatch(
    /\/nowhere, which REDIS_SERVER names, is not there\..*npx @sekali\/cli start takes a REDIS_URL/s,
  )
  expect(ways).not.toContain('docker compose')

  await using first = place.start(...started(await freePort()))
  await eventually(() => expect(first.said()).toContain('PostgreSQL is starting'))
  const second = await place.run(...started(await freePort()))
  expect(second).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^\nthe data directory .* is in use by process \d+.*\nOr choose .*\n$/),
  })
  first.interrupt()
  const { code, err } = await first.ended
  expect({ code, err }).toEqual({ code: 130, err: expect.stringMatching(/everything is stopped\n$/) })
  expect(await processesOf(place.path)).toEqual([])
})

for (const [version, user, who] of [
  ['22.18', {}, 'root'],
  ['24', otherUser, 'another user'],
] as const) {
  test(`${who} starts the system in an empty folder on Node ${version}, folds, stops it, and finds all again`, async () => {
    await using place = await installed([tarball], user, binOf(version))
    await mkdir(join(place.path, 'projections'))
    await writeFile(join(place.path, 'projections', 'totals.ts'), totals)
    const port = String(await freePort())
    const args = ['start', '--port', port, '--projections', './projections']
    // Not through npx, which on Ctrl-C ends at once, by the signal, and does not wait for what it runs.
    const command = join(place.path, 'node_modules', '.bin', 'sekali')
    const url = `http://127.0.0.1:${port}`
    const sekali = (...words: string[]) => place.run('npx', ['@sekali/cli', ...words], { SEKALI_URL: url })

    await using first = await ready(place.start(command, args), url)
    await eventually(() => expect(first.said()).toContain(join(place.path, '.sekali')))
    const receipt = await fetch(`${url}/publish`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'wait=10' },
      ...order,
    })
    expect(await receipt.json()).toMatchObject({ status: 'stored', seq: 1 })
    expect(await sekali('publish', 'orders.eu', '{"total": 9007199254740993}')).toMatchObject({ code: 0 })
    await eventually(async () => {
      const { out } = await sekali('projection', 'get', 'totals')
      expect(JSON.parse(out)).toEqual({ orders: 2, sum: '9007199254740995' })
    })
    expect(await sekali('doctor')).toMatchObject({ code: 0 })
    first.interrupt()
    expect((await first.ended).code).toBe(0)
    expect(await processesOf(place.path)).toEqual([])

    await using second = await ready(place.start(command, args), url)
    const { out } = await sekali('replay', 'orders.eu')
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).seq),
    ).toEqual([1, 2])
    second.interrupt()
    expect((await second.ended).code).toBe(0)
    expect(await processesOf(place.path)).toEqual([])
  }, 180_000)
}

const order = {
  body: '{"topic":"orders.eu","event_id":"o-1","timestamp":"2026-11-25T10:00:00Z","source":"shop","payload":{"total":2}}',
}

const totals = `
import { defineProjection } from '@sekali/projection'

interface Totals {
  orders: number
  sum: string
}

export const totals = defineProjection<Totals>({
  name: 'totals',
  topics: 'orders.>',
  initial: { orders: 0, sum: '0' },
  apply: ({ orders, sum }, { payload }) => ({
    orders: orders + 1,
    sum: String(BigInt(sum) + BigInt(payload.total as number | bigint)),
  }),
})
`

async function ready(running: Running, url: string): Promise<Running> {
  const isReady = eventually(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200), 60_000)
  const ended = running.ended.then(({ err }) => Promise.reject(new Error(`it ended: ${err}`)))
  await Promise.race([isReady, ended])
  return running
}

/** The command lines of live processes that name a folder. */
async function processesOf(folder: string): Promise<string[]> {
  const ps = spawn('ps', ['-eww', '-o', 'args='], { stdio: ['ignore', 'pipe', 'inherit'] })
  const said = Buffer.concat(await ps.stdout.toArray()).toString()
  return said.split('\n').filter((line) => line.includes(folder))
}
