// `npm run demo`, `npm start`, `npm test` and the other commands below begin here, on a fresh clone too:
// plain JavaScript for Node 20, with nothing but Node itself. It makes the machine ready, says on standard
// error what it does for that, and hands over to Node 24. Each step does nothing when there is nothing to
// do.
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureDependencies, findNode } from './set-up/dependencies.mjs'
import { SetUpFailed } from './set-up/failure.mjs'
import { fileTrouble } from './set-up/file-trouble.mjs'
import { aroundProxies } from './set-up/proxy.mjs'
import { ensureRedis } from './set-up/redis.mjs'
import { createRelay } from './set-up/relay.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const commands = {
  backup: 'infra/local/src/backup.ts',
  bench: 'infra/bench/src/main.ts',
  build: 'infra/release/src/build.ts',
  chaos: 'infra/chaos/src/main.ts',
  demo: 'infra/local/src/demo.ts',
  'first-key': 'apps/consumer/src/first-key.ts',
  flood: 'infra/chaos/src/flood/main.ts',
  matrix: 'infra/matrix/src/main.ts',
  mutants: 'infra/chaos/src/mutants/main.ts',
  release: 'infra/release/src/release.ts',
  restore: 'infra/local/src/restore.ts',
  restored: 'apps/consumer/src/operate/restored.ts',
  sekali: 'apps/cli/src/main.ts',
  start: 'infra/local/src/start.ts',
  summary: 'infra/chaos/src/report/summary.ts',
  test: 'infra/local/src/test.ts',
  'test-more': 'infra/local/src/test-more.ts',
}
const withoutRedis = ['backup', 'build', 'first-key', 'release', 'restore', 'restored', 'sekali']

const [command = '', ...args] = process.argv.slice(2)
const relay = createRelay()

try {
  process.exitCode = await main()
} catch (error) {
  const words = error instanceof SetUpFailed ? error.message : fileTrouble(error)
  if (words === undefined) throw error
  process.stderr.write(`\n${words}\n`)
  process.exitCode = error.isUsage ? 2 : 1
} finally {
  relay.close()
}

async function main() {
  if (!Object.hasOwn(commands, command)) {
    throw new SetUpFailed(
      `usage: node infra/local/bootstrap.mjs ${Object.keys(commands).join('|')} [options]`,
      { isUsage: true },
    )
  }
  await ensureDependencies(root, relay)
  const node = findNode(root)
  const env = {
    // What V8 makes of our sources, types stripped: a process starts in half the time.
    NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'compiled'),
    ...process.env,
    ...aroundProxies(process.env),
    PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH ?? ''}`,
  }
  const asksForHelp = args.some((arg) => arg === '--help' || arg === '-h')
  const bringsRedis = command === 'start' && process.env.REDIS_URL
  const needsRedis = !withoutRedis.includes(command) && !asksForHelp && !bringsRedis
  if (needsRedis) env.REDIS_SERVER = await ensureRedis(relay)
  const script = join(root, commands[command])
  const { code, signal } = await relay.run(node, [script, ...args], { env, stdio: 'inherit', ipc: true })
  return signal === null ? code : 128 + constants.signals[signal]
}
