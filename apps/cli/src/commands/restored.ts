import { beginEpochs, countForEpochs, type EpochsCount } from '@sekali/client/epochs'
import type { Command } from 'commander'
import { action, type Context, type Surroundings } from '../context.ts'
import { exitCodes, UsageError } from '../exit.ts'
import { confirm, isInteractive } from '../terminal/confirm.ts'
import { count } from '../terminal/text.ts'
import { time } from '../time.ts'
import { calls } from './calls.ts'

interface Options {
  readonly at?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export function addRestored(program: Command, surroundings: Surroundings): void {
  program
    .command('restored')
    .summary('say that PostgreSQL was put back and Redis is new')
    .description(
      'Begins another epoch of all logs, so that whoever has read further than they go is told. Only for when PostgreSQL was put back to ' +
        'an earlier state and Redis has lost its data, too: where Redis has them, consumers find it out by themselves. ' +
        'Say it before anything is stored; where that is too late, name with --at when PostgreSQL was put back.',
    )
    .option('--at <time>', 'when PostgreSQL was put back: 1h (ago), yesterday, RFC 3339 (default: now)', time)
    .option('--dry-run', 'say what there is, and do nothing')
    .option('--yes', 'do not ask; refused without --at if something was stored since PostgreSQL started')
    .addHelpText(
      'after',
      `
It is safe to say twice: a second epoch tells nobody anything that the first one has not told.

Examples:
  $ sekali restored --dry-run
  $ sekali restored
  $ sekali restored --at 2025-12-08T11:00Z --yes
${calls('beginEpochs')}`,
    )
    .action(action(surroundings, restored))
}

async function restored(context: Context, _: string[], given: Options): Promise<number | undefined> {
  const { connection, options, json, out, report, signal } = context
  const { at, dryRun = false, yes = false } = given
  if (!dryRun && !yes && !isInteractive(json)) {
    throw new UsageError('nobody can be asked here: say --yes; --dry-run says what there is')
  }
  const counted = await countForEpochs(connection, options)
  if (dryRun) {
    await out.line(json ? JSON.stringify(counted) : textOf(counted, at))
    return undefined
  }
  const late = lateText(counted, at)
  if (yes && late !== undefined) {
    report(late)
    report('no epoch has begun')
    return exitCodes.refused
  }
  if (!yes) {
    report(textOf(counted, at))
    const question = `Type ${counted.topics} to begin another epoch of ${count(counted.topics, 'topic')}: `
    if (!(await confirm(question, String(counted.topics), signal))) {
      report('no epoch has begun')
      return exitCodes.refused
    }
  }
  const begun = await beginEpochs(connection, at, options)
  const { epoch, topics } = begun
  await out.line(json ? JSON.stringify(begun) : `epoch ${epoch} of ${count(topics, 'topic')} has begun`)
  return undefined
}

function textOf(counted: EpochsCount, at: string | undefined): string {
  const { topics, events, newest_stored_at: newest } = counted
  const newestText = newest === null ? '' : `, the newest stored at ${newest}`
  const late = lateText(counted, at)
  const counts = `${count(topics, 'topic')} with ${count(events, 'event')}${newestText}`
  return late === undefined ? counts : `${counts}\n${late}`
}

/** What speaks against an epoch that forks where the logs end. Only who is asked can say that it was put back after that. */
function lateText(
  { started_at: started, stored_since_start: since }: EpochsCount,
  at: string | undefined,
): string | undefined {
  if (since === 0 || at !== undefined) return undefined
  return (
    `in ${count(since, 'topic')} something was stored since PostgreSQL started at ${started}: if it was put back before ` +
    'that, say --at with the time, or readers of the lost events pass over these'
  )
}
