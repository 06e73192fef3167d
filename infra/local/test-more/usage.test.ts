import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { tryUnprivileged, userOf } from '@sekali/servers/unprivileged'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const programs = {
  backup: 'infra/local/src/backup.ts',
  bench: 'infra/bench/src/main.ts',
  chaos: 'infra/chaos/src/main.ts',
  demo: 'infra/local/src/demo.ts',
  flood: 'infra/chaos/src/flood/main.ts',
  mutants: 'infra/chaos/src/mutants/main.ts',
  publisher: 'apps/publisher/src/main.ts',
  restore: 'infra/local/src/restore.ts',
  start: 'infra/local/src/start.ts',
  summary: 'infra/chaos/src/report/summary.ts',
  test: 'infra/local/src/test.ts',
  'test:more': 'infra/local/src/test-more.ts',
}
type Name = keyof typeof programs
const names = Object.keys(programs) as Name[]

const run = (name: Name, ...args: string[]) => runWith({}, name, ...args)

function runWith(env: Record<string, string>, name: Name, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, programs[name]), ...args], {
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...env },
    encoding: 'utf8',
    timeout: 30_000,
  })
  return { status, stdout, stderr }
}

const refused = (words: RegExp) => ({ status: 2, stdout: '', stderr: expect.stringMatching(words) })

test.each(names)('%s refuses an option that there is not with status 2', (name) => {
  expect(run(name, '--hepl')).toEqual(refused(/^error: unknown option '--hepl'\n\(Did you mean --help\?\)\n/))
})

test.each(names)('%s explains itself, and says no default that is none', (name) => {
  const { status, stdout, stderr } = run(name, '--help')
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toMatch(/^Usage: /)
  expect(stdout).toContain('--help')
  expect(stdout).not.toMatch(/default: (\[\]|false|"")/)
})

test.each<[Name, string[], RegExp]>([
  ['start', ['--port', '0'], /whole number from 1 to 65535/],
  ['start', ['--consumers', '0'], /whole number from 1 to 64/],
  ['start', ['--projections', '/nowhere'], /must be an existing folder/],
  ['start', ['--data', ''], /must be a folder/],
  ['start', ['more'], /too many arguments/],
  ['start', ['--replace-first-key'], /needs SEKALI_AUTH=keys/],
  ['start', ['--host', '0.0.0.0'], /--host 0\.0\.0\.0 opens.*SEKALI_AUTH=keys.*SEKALI_AUTH=off-on-purpose/],
  ['demo', ['--duplicates', '30 percent'], /0\.3 or 30%/],
  ['demo', ['--duplicates', '100%'], /0\.3 or 30%/],
  ['demo', ['--events', '1e3'], /whole number from 1 to 100000000/],
  ['demo', ['--events', '1', '--duplicates', '0.9'], /no event is left/],
  ['demo', ['--seed', 'a b'], /must be 1 to 64 of/],
  ['publisher', ['--duplicates', '1'], /0\.3 or 30%/],
  ['publisher', ['--events', '1', '--duplicates', '0.9'], /no event is left/],
  ['publisher', ['--topics', 'a b'], /a topic/],
  ['publisher', ['more'], /too many arguments/],
  ['chaos', ['--faults', 'no-such'], /no fault no-such; --list/],
  ['chaos', ['--faults', ''], /no fault/],
  ['chaos', ['--consumers', '0'], /whole number from 1 to 64/],
  ['chaos', ['--report', '/nowhere/report.json'], /folder that there is/],
  ['flood', ['--seconds', '0'], /whole number from 1 to 3600/],
  ['bench', ['--only', 'nothing'], /Allowed choices/],
  ['mutants', ['--only', 'no-such'], /no mutant no-such/],
  ['mutants', ['--report', '/nowhere/table.md'], /folder that there is/],
  ['summary', [], /missing required argument/],
  ['backup', [], /missing required argument 'file'/],
  ['backup', ['/nowhere/log.backup'], /folder that there is/],
  ['restore', ['/nowhere'], /must be an existing file/],
  ['restore', ['/etc/hosts', '--data', ''], /must be a folder/],
  ['test', ['--project', 'no-such'], /no project no-such.*gateway/],
  ['test:more', ['--project', 'core'], /no project core.*gateway/],
])('%s %j is refused before anything starts', (name, args, words) => {
  expect(run(name, ...args)).toEqual(refused(words))
})

// npm keeps an option before the dashes for itself, and says so to the script alone.
test.each<[Name, Record<string, string>, string[], string]>([
  ['start', { npm_config_port: 'true' }, ['9001'], '--port: npm start -- --port …'],
  ['start', { npm_config_health_port: '9001' }, [], '--health-port: npm start -- --health-port …'],
  [
    'demo',
    { npm_config_seed: '42', npm_config_events: '10' },
    [],
    '--events and --seed: npm run demo -- --events …',
  ],
])('%s refuses what npm took for itself: %j', (name, env, args, said) => {
  expect(runWith(env, name, ...args)).toEqual({
    status: 2,
    stdout: '',
    stderr: `error: npm keeps options that are not behind two dashes, and has kept ${said}\n`,
  })
})

test.each<[Record<string, string>, string[], RegExp]>([
  [{ HOST: '0.0.0.0' }, [], /HOST is not read here: give --host 0\.0\.0\.0 instead/],
  [{ PORT: '9001' }, ['--port', '9002'], /PORT is not read here: give --port 9001 instead/],
  [{ SEKALI_BIND: '0.0.0.0' }, [], /SEKALI_BIND is not read here: give --host 0\.0\.0\.0/],
  [{ PROJECTIONS_DIR: 'examples' }, [], /PROJECTIONS_DIR is not read here: give --projections examples/],
  [{ METRICS_PORT: '9100' }, [], /METRICS_PORT cannot be set here/],
  [{ HOSTS: 'https://events.example.com' }, [], /HOSTS: must be names/],
  [{ TRUSTED_PROXIES: 'proxy' }, [], /TRUSTED_PROXIES: must be addresses or networks/],
  [{ CORS_ORIGINS: 'app' }, [], /CORS_ORIGINS: must be origins/],
  [{ SHED_AT: '70' }, [], /SHED_UNTIL is 75 and must be less than SHED_AT/],
  [{ JWT_ISSUER: 'https://login.example.com' }, [], /JWT_ISSUER: set SEKALI_AUTH=keys/],
  [{ STATEMENT_MS: '9000' }, [], /REDIS_CALL_MS < STATEMENT_MS < IDLE_IN_TRANSACTION_MS/],
  [{ IMPORT_MS: '1' }, [], /IMPORT_MS/],
  [
    { DATABASE_URL: 'postgres://a@127.0.0.1/a' },
    ['--restored'],
    /DATABASE_URL names another: `sekali restored`/,
  ],
  [{ SEKALI_AUTH: 'keys' }, ['--replace-first-key'], /no terminal.*--print-first-key/s],
])('start refuses the setting %j, with %j, before anything is made', async (env, args, words) => {
  await using folder = await temporaryFolder('sekali-test-')
  const data = join(folder.path, 'data')
  expect(runWith(env, 'start', '--data', data, ...args)).toEqual(refused(words))
  expect(existsSync(data)).toBe(false)
})

test('a data folder that cannot be one is refused in a sentence', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const file = join(folder.path, 'file')
  await writeFile(file, '')
  const words = (path: string, why: string) =>
    new RegExp(`^\\n${path}\\b.*${why}.*Choose another folder: npm start -- --data FOLDER\\n$`)
  expect(run('start', '--data', file)).toEqual(refused(words(file, 'is not a folder')))
  expect(run('start', '--data', join(file, 'x'))).toEqual(refused(words(file, 'is not a folder')))
  // Node's own recursive mkdir never returns from there.
  expect(run('start', '--data', '/proc/x/y')).toEqual(refused(words('/proc', 'cannot be made')))
  const long = join(folder.path, 'x'.repeat(300))
  expect(run('start', '--data', long)).toEqual(refused(words(folder.path, 'too long')))
})

test('files of another user are named with their owner, as what cannot be read or written', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await chmod(folder.path, 0o555)
  const way = tryUnprivileged(process.execPath, root)
  if (way === undefined) throw new Error('nobody can run Node here')
  const { command, prefix } = way.command(process.execPath)
  const { status, stdout, stderr } = spawnSync(
    command,
    [...prefix, join(root, programs.start), '--data', join(folder.path, 'data')],
    { env: { PATH: process.env.PATH }, cwd: '/', encoding: 'utf8', timeout: 30_000, ...userOf(way) },
  )
  const words = new RegExp(`^\\n${folder.path}/data cannot be made:.*user .*may not.*--data FOLDER\\n$`)
  expect({ status, stdout, stderr }).toEqual(refused(words))
})

test('a file that cannot be read is named, without a stack trace', () => {
  const { status, stderr } = run('summary', '/nowhere/report.json')
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: '\n/nowhere/report.json: there is no such file or folder\n',
  })
})
