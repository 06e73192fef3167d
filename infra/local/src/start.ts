import { once } from 'node:events'
import process from 'node:process'
import { isBuilt } from '@sekali/core/place'
import { readAuth, requireAuth } from '@sekali/process/auth'
import { givenUrls } from '@sekali/process/env'
import { Option } from 'commander'
import {
  commandLine,
  existingFolder,
  inLines,
  newFolder,
  requireDashes,
  wholeNumber,
} from './command/command-line.ts'
import { greeting } from './command/greeting.ts'
import { narrate } from './command/narration.ts'
import { dataFolder, repositoryRoot, startCommand } from './command/repository.ts'
import { runCommand } from './command/run-command.ts'
import { refuseUnread } from './command/unread.ts'
import { UsageError } from './command/usage-error.ts'
import { ensureConsole } from './console/build.ts'
import { readFindings } from './system/findings.ts'
import { settings } from './system/settings.ts'
import { startStack } from './system/stack.ts'

// The package brings no documents and no examples.
const [explained, example] = isBuilt ? ['', ''] : ['; docs/operating.md explains them', ', such as examples/']

const command = commandLine(
  startCommand,
  'Runs Sekali on this machine until Ctrl-C: Redis, PostgreSQL, the gateway, consumers, projectors and dispatchers. ' +
    'A process that ends is started again. A second Ctrl-C stops at once.',
)
  .option('--port <number>', 'where the gateway listens', wholeNumber(1, 65_535), 8_080)
  .option('--host <address>', 'the address it listens on; 0.0.0.0 opens it to the network', '127.0.0.1')
  .addOption(
    new Option('--health-port <number>', 'where it answers /healthz and /readyz; 0 is any free port')
      .env('HEALTH_PORT')
      .argParser(wholeNumber(0, 65_535))
      .default(0),
  )
  .addOption(
    new Option('--health-host <address>', 'the address it listens on for that')
      .env('HEALTH_HOST')
      .default('127.0.0.1'),
  )
  .option('--replace-first-key', 'revoke the keys that may do everything, make a new one and print it')
  .option('--print-first-key', 'print the first key also where standard output is no terminal, as in a log')
  .option('--consumers <number>', 'how many consumers share the topics', wholeNumber(1, 64), 4)
  .option('--projectors <number>', 'how many projectors share the projections', wholeNumber(0, 64), 1)
  .option('--dispatchers <number>', 'how many dispatchers share the webhooks', wholeNumber(0, 64), 1)
  .option('--projections <folder>', `a folder of definitions of projections${example}`, existingFolder)
  .option('--data <folder>', 'where data and logs are kept', newFolder, dataFolder)
  .option(
    '--restored',
    'the data are a copy or were put back: tell readers who have read further than they go',
  )
  .addHelpText(
    'after',
    `
Environment:
  SEKALI_AUTH    keys: whoever comes needs a key; the first start prints the first one, once,
                 where standard output is a terminal.
                 off (default): everyone may do everything, and --host must be this machine.
                 off-on-purpose: the same on any --host, for who has something in front that asks
  DATABASE_URL   a PostgreSQL (15 or newer) to use instead of one of our own
  REDIS_URL      a Redis (7.0 or newer) to use instead of one of our own
  WEBHOOK_KEY    what the secrets of webhooks are sealed with (default: one of the data folder's own)
  DATABASE_URL_FILE, REDIS_URL_FILE, WEBHOOK_KEY_FILE: files that hold them instead
  REDIS_PREFIX   what all keys in Redis begin with (default: sekali)
  REDIS_SERVER   the redis-server or valkey-server to run, when the one on the PATH will not do
  LOG_LEVEL      trace, debug, info, warn, error, fatal or silent (default: info)

Settings of the gateway, the consumers, the projectors and the dispatchers are passed on${explained}:
${inLines(settings, 100)}

Example:
  ${startCommand} --port 9090 --consumers 8 --data /var/lib/sekali`,
  )
requireDashes(command, process.env)
const options = command.parse().opts<{
  port: number
  host: string
  healthPort: number
  healthHost: string
  replaceFirstKey?: true
  printFirstKey?: true
  consumers: number
  projectors: number
  dispatchers: number
  projections?: string
  data: string
  restored?: true
}>()

await runCommand(async (signal) => {
  const given = givenUrls(process.env)
  const auth = readAuth(process.env)
  requireAuth(auth, '--host', options.host)
  if (options.replaceFirstKey && auth !== 'keys') {
    throw new UsageError('--replace-first-key needs SEKALI_AUTH=keys: without it nobody is asked for a key.')
  }
  if (options.restored && given.DATABASE_URL !== undefined) {
    throw new UsageError(
      '--restored is about the PostgreSQL of --data, and DATABASE_URL names another: `sekali restored` is for that.',
    )
  }
  refuseUnread(process.env, options)
  // A log keeps what it gets, and others read it.
  const showsKey = process.stdout.isTTY === true || options.printFirstKey === true
  if (options.replaceFirstKey && !showsKey) {
    throw new UsageError(
      '--replace-first-key prints a key, and standard output is no terminal: whoever reads what it is would have it. ' +
        'Start at a terminal, or with --print-first-key as well.',
    )
  }
  const built = isBuilt ? undefined : ensureConsole(repositoryRoot, narrate) // while all else starts
  await using stack = await startStack({
    dir: options.data,
    port: options.port,
    host: options.host,
    healthPort: options.healthPort,
    healthHost: options.healthHost,
    auth,
    makeKey: showsKey,
    replaceFirstKey: options.replaceFirstKey === true,
    consumers: options.consumers,
    projectors: options.projectors,
    dispatchers: options.dispatchers,
    projections: options.projections,
    restored: options.restored === true,
    databaseUrl: given.DATABASE_URL,
    redisUrl: given.REDIS_URL,
    onEvent: narrate,
    signal,
  })
  await built
  const token = stack.firstKey ?? process.env.SEKALI_TOKEN
  const findings = await readFindings(stack.url, { token, signal })
  const asksForKeys = auth === 'keys'
  const greeted = { ...stack, host: options.host, asksForKeys, showsKey, hasKey: Boolean(token) }
  process.stdout.write(greeting(greeted, options.projections, findings))
  if (!signal.aborted) await once(signal, 'abort')
  narrate('everything', 'drains and stops; press Ctrl-C again to stop at once')
  await stack.stop()
  narrate('everything', `is stopped; the data stay in ${stack.dir}`)
  return 0
})
