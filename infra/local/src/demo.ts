import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { isBuilt } from '@sekali/core/place'
import { readAuth } from '@sekali/process/auth'
import { complaintAbout, seed, share } from '@sekali/publisher/arguments'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { commandLine, requireDashes, wholeNumber } from './command/command-line.ts'
import { narrate } from './command/narration.ts'
import { demoCommand, programs, repositoryRoot } from './command/repository.ts'
import { interrupted, runCommand } from './command/run-command.ts'
import { ensureConsole } from './console/build.ts'
import { openPage } from './console/open.ts'
import { type Stack, startStack } from './system/stack.ts'

const drainMs = 10_000

const command = commandLine(
  demoCommand,
  'Starts the whole system on servers and data of its own, publishes events with an exact share of ' +
    'duplicates over HTTP, waits until all of them are accounted for, shows that the figures balance, and ' +
    'removes everything. ' +
    'DATABASE_URL and REDIS_URL are not used, so nothing of yours is touched.',
)
  .option('--events <number>', 'events to publish, duplicates included', wholeNumber(1, 100_000_000), 20_000)
  .option('--duplicates <share>', 'share of them that repeat another one, such as 0.3 or 30%', share, 0.3)
  .option('--consumers <number>', 'how many consumers share the topics', wholeNumber(1, 64), 4)
  .option('--concurrency <number>', 'requests at a time', wholeNumber(1, 1_000), 50)
  .option('--seed <text>', 'the same seed publishes the same events (default: a new one)', seed)
  .option('--open', 'open the console in a browser to watch it live, and stay up until Ctrl-C')
  .option('--json', 'the last line of standard output is one JSON object with the figures')
requireDashes(command, process.env)
const options = command.parse().opts<DemoOptions>()
const complaint = complaintAbout(options)
if (complaint !== undefined) command.error(complaint)

interface DemoOptions {
  readonly events: number
  readonly duplicates: number
  readonly consumers: number
  readonly concurrency: number
  readonly seed?: string
  readonly open?: true
  readonly json?: true
}

await runCommand(async (signal) => {
  const built = isBuilt ? undefined : ensureConsole(repositoryRoot, narrate) // while all else starts
  await using folder = await temporaryFolder('sekali-demo-')
  await using stack = await startStack({
    dir: folder.path,
    auth: readAuth(process.env),
    consumers: options.consumers,
    onEvent: narrate,
    signal,
  })
  await built
  narrate('console', `shows it live: ${stack.url}/`)
  if (options.open) openPage(`${stack.url}/`)
  narrate('gateway', `answers on ${stack.url}; the publisher begins`)
  const status = await publish(stack, signal)
  if (options.open && !signal.aborted) {
    narrate('everything', `stays up to be looked at: ${stack.url}/; press Ctrl-C to stop it`)
    await once(signal, 'abort')
  }
  narrate('everything', 'is being stopped')
  await stack.stop()
  narrate('everything', 'is stopped; the data are deleted')
  return status
})

/**
 * The publisher's exit code. It shares our terminal, so its progress bar and its table are the user's to
 * see.
 */
async function publish({ url, firstKey }: Stack, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted()
  const { events, duplicates, concurrency, seed, json } = options
  const args = ['--url', url, '--events', String(events), '--duplicates', String(duplicates)]
  args.push('--concurrency', String(concurrency), ...(seed === undefined ? [] : ['--seed', seed]))
  const publisher = spawn(process.execPath, [programs.publisher, ...args, ...(json ? ['--json'] : [])], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    // Not the token of another system that may be in our environment.
    env: { ...process.env, SEKALI_TOKEN: firstKey },
  })
  const ended = once(publisher, 'exit') as Promise<[number | null]>
  const stop = () => endSoon(publisher)
  signal.addEventListener('abort', stop)
  const [code] = await ended
  signal.removeEventListener('abort', stop)
  return code ?? (signal.aborted ? interrupted : 1)
}

function endSoon(child: ChildProcess): void {
  child.kill('SIGTERM')
  setTimeout(() => child.kill('SIGKILL'), drainMs).unref()
}
