/** `sekali subscription pull`: a worker in one line. */
import { hostname } from 'node:os'
import process from 'node:process'
import { handleAll } from '@sekali/client/handle'
import type { Ending, JobOf } from '@sekali/client/job'
import { createPool } from '@sekali/client/pool'
import type { CallOptions } from '@sekali/client/retry'
import { LeaseLost } from '@sekali/client/work'
import { SekaliError } from '@sekali/core/errors'
import { subscriptionLimits } from '@sekali/core/subscription'
import type { Command } from 'commander'
import { adviceOn, adviceOnRetry, isForGood } from '../../advice.ts'
import { wholeNumber } from '../../arguments.ts'
import { action, type Context, required, type Surroundings } from '../../context.ts'
import { exitCodes, UsageError } from '../../exit.ts'
import { plain } from '../../terminal/text.ts'
import { calls } from '../calls.ts'
import { execute, killAll } from './exec.ts'
import { type EventText, readItems } from './items.ts'

/** What a command ends with that wants no further attempt: EX_DATAERR. */
const dataError = 65
/** What a shell ends with where a command may not be run, or is not there (POSIX.1, Shell, 2.8.2). */
const notRun = [126, 127] as const
/** The same of the shell itself, or of the folder that it would run in. */
const noShell = ['EACCES', 'ENOENT', 'ENOTDIR'] as const

export function addPull(subscription: Command, surroundings: Surroundings): void {
  subscription
    .command('pull')
    .summary('work off events: run a command for each, or print them')
    .description(
      'Takes events off a subscription until Ctrl-C, and waits while there are none. With --exec a shell runs the command for ' +
        'each event, which it gets as JSON on standard input, and in part as SEKALI_TOPIC, SEKALI_SEQ, SEKALI_EVENT_ID, ' +
        'SEKALI_SOURCE and SEKALI_ATTEMPT. How it ends settles the event: 0 is done, ' +
        `${dataError} makes it a dead letter at once, ${notRun.join(' and ')} of the first one say that the command is not there, which ends the worker, ` +
        'anything else has the event come again later. The lease is extended while it runs. Ctrl-C lets what runs end; a second one ends it and gives its events back.',
    )
    .argument('<name>')
    .option('--exec <command>', 'run this for each event')
    .option('--ack', 'print each event as JSON, and settle it once it is printed')
    .option('--release', 'print events as JSON, and give them back: a look')
    .option(
      '--concurrency <n>',
      'so many at a time, with --exec',
      wholeNumber(1, subscriptionLimits.pullEventsMax),
      1,
    )
    .option(
      '-n, --count <n>',
      'end after so many were handed out, those that came again included (with --release: 1)',
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )
    .option('--worker <name>', 'what this worker is called (default: the name of this machine)')
    .addHelpText(
      'after',
      `
Examples:
  $ sekali subscription pull mailer --exec 'jq -r .payload.email | xargs ./send-mail'
  $ sekali subscription pull mailer --exec ./work.py --concurrency 8
  $ sekali subscription pull mailer --release      what would come next
`,
    )
    .addHelpText('after', calls('pull', 'settle'))
    .action(action(surroundings, run))
}

interface Options {
  readonly exec?: string
  readonly ack?: boolean
  readonly release?: boolean
  readonly concurrency: number
  readonly count?: number
  readonly worker?: string
}

const run = async (context: Context, [given]: string[], options: Options): Promise<number> => {
  const name = required(given)
  const { held, lanes, count } = planOf(options)
  const forcing = new AbortController()
  using _force = context.onForce(() => {
    forcing.abort()
    killAll()
  })
  process.once('exit', killAll) // nothing goes on whose lease nobody extends any more
  using _reader = options.exec === undefined ? context.out.watch() : undefined
  const enough = new AbortController()
  const signal = AbortSignal.any([context.signal, enough.signal])
  const { worker = hostname() } = options
  const poolOptions = { concurrency: held, total: count, worker, signal, onRetry: reportingRetries(context) }
  const pool = createPool(context.connection, name, poolOptions, readItems)
  let printed = 0
  let hasRun = false
  let isMissing = false
  const work = async (job: JobOf<EventText>): Promise<Ending> => {
    if (options.exec !== undefined) {
      const end = await runFor(job, options.exec, forcing.signal)
      // If it has run before, it is this event for which something is not there.
      const mayBeMissing = !hasRun && [...notRun, ...noShell].some((one) => one === end)
      if (!mayBeMissing) {
        hasRun = true
        return endingOf(context, job, end, forcing.signal)
      }
      isMissing = true
      enough.abort()
      return { do: 'release' }
    }
    const ending = await print(context, job, options.ack ? 'ack' : 'release')
    printed += 1
    if (printed === count) enough.abort()
    // What is given back would come again at once.
    if (options.release) await aborted(signal)
    return ending
  }
  const onFailure = (error: unknown, { event }: JobOf<EventText>) => {
    if (!(error instanceof SekaliError)) throw error
    const why = error instanceof LeaseLost ? 'another worker may have it' : adviceOn(error, context.url)
    if (!forcing.signal.aborted) say(context, event, `could not be settled: ${why}`)
  }
  await handleAll(pool, lanes, work, onFailure)
  if (isMissing)
    throw new UsageError(
      '--exec names a command that is not there, or may not be run: its events were given back',
    )
  if (!forcing.signal.aborted) return exitCodes.done
  return context.signal.reason === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated
}

/** How many events are held at a time, and how many are worked on. Throws UsageError. */
function planOf({ exec, ack, release, concurrency, count = Number.POSITIVE_INFINITY }: Options) {
  if ([exec, ack, release].filter(Boolean).length !== 1)
    throw new UsageError('say what becomes of the events: --exec COMMAND, --ack or --release, one of them')
  // No more is pulled than is wanted.
  if (exec !== undefined) return { held: Math.min(concurrency, count), lanes: concurrency, count }
  if (ack) return { held: Math.min(printedAtOnce, count), lanes: 1, count }
  const looks = Number.isFinite(count) ? count : 1
  if (looks <= subscriptionLimits.pullEventsMax) return { held: looks, lanes: looks, count: looks }
  throw new UsageError(`--release looks at ${subscriptionLimits.pullEventsMax} events at most`)
}

/** Events that are pulled before they are printed. */
const printedAtOnce = 100

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })

async function print({ out }: Context, { event }: JobOf<EventText>, how: 'ack' | 'release'): Promise<Ending> {
  try {
    await out.line(event.text)
    return { do: how }
  } catch {
    return { do: 'release' } // nobody has it: who reads has left, and the pool stops
  }
}

/** How the command ended: with an exit code, by a signal, or with the error code of what kept it from being started. */
type End = number | string

async function runFor(
  { event, attempt, signal }: JobOf<EventText>,
  command: string,
  forced: AbortSignal,
): Promise<End> {
  const { topic, seq, event_id, source, text } = event
  if (forced.aborted) return 'SIGKILL'
  const env = {
    SEKALI_TOPIC: topic,
    SEKALI_SEQ: String(seq),
    SEKALI_EVENT_ID: event_id,
    SEKALI_SOURCE: source,
    SEKALI_ATTEMPT: String(attempt),
  }
  return await execute(command, { input: `${text}\n`, env, signal }).catch(codeOf)
}

function endingOf(
  context: Context,
  { event, attempt, signal }: JobOf<EventText>,
  end: End,
  forced: AbortSignal,
): Ending {
  if (forced.aborted) return { do: 'release' }
  if (end === 0) return { do: 'ack' }
  const reason = typeof end === 'number' ? `exit code ${end}` : `ended by ${end}`
  const isOver = end === dataError
  if (!signal.aborted) say(context, event, `attempt ${attempt}: ${reason}${isOver ? ', a dead letter' : ''}`)
  return { do: isOver ? 'term' : 'nak', reason }
}

/** It could not be started: too many processes, perhaps. That is no fault of the event, which comes again. */
const codeOf = (error: NodeJS.ErrnoException): string => error.code ?? error.message

function say({ json, report }: Context, { topic, seq }: EventText, what: string): void {
  if (!json) report(`${plain(topic)} #${seq} ${what}`)
}

/** Says once for each time why nothing comes. */
function reportingRetries({ json, report, url }: Context): NonNullable<CallOptions['onRetry']> {
  let said: string | undefined
  return ({ retry, error }) => {
    if (isForGood(error)) throw error
    if (retry === 1) said = undefined
    if (said === error.code || json) return
    said = error.code
    report(adviceOnRetry(error, url))
  }
}
