import type { Sought } from '@sekali/client/operate'
import {
  dropSubscription,
  readSubscription,
  seekSubscription,
  setSubscriptionState,
} from '@sekali/client/subscriptions'
import type { Command } from 'commander'
import { action, type Context, required, type Surroundings } from '../../context.ts'
import { exitCodes, UsageError } from '../../exit.ts'
import { timesHelp } from '../../filters.ts'
import { confirm, isInteractive } from '../../terminal/confirm.ts'
import { count, plain } from '../../terminal/text.ts'
import { calls } from '../calls.ts'
import { place } from './place.ts'

export function addControl(subscription: Command, surroundings: Surroundings): void {
  subscription
    .command('pause')
    .description(
      'Hands out nothing more, until it is resumed. What workers have they can settle, and nothing is lost.',
    )
    .argument('<name>')
    .addHelpText('after', calls('pauseSubscription'))
    .action(action(surroundings, setState('pause')))
  subscription
    .command('resume')
    .description('Hands out events again.')
    .argument('<name>')
    .addHelpText('after', calls('resumeSubscription'))
    .action(action(surroundings, setState('resume')))
  subscription
    .command('seek')
    .summary('have a subscription begin anew at another place')
    .description(
      'Moves to another place: what is before it counts as settled, what is behind it is handed out, also what was settled ' +
        'before. What workers have is lost to them. It says first what that means and asks; a script says --yes.',
    )
    .argument('<name>')
    .requiredOption('-f, --from <place>', 'where to begin: start, now, a time, or a cursor', place)
    .option('--dry-run', 'say what it would do, and do nothing')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', `\n${timesHelp}\n`)
    .addHelpText('after', calls('seekSubscription'))
    .action(action(surroundings, seek))
  subscription
    .command('delete')
    .summary('end a subscription')
    .description(
      'Deletes a subscription: how far its workers are, and its dead letters. The events stay. It asks; a script says --yes.',
    )
    .argument('<name>')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', calls('deleteSubscription'))
    .action(action(surroundings, remove))
}

const setState =
  (how: 'pause' | 'resume') =>
  async ({ connection, options, json, out }: Context, [given]: string[]) => {
    const subscription = await setSubscriptionState(connection, required(given), how, options)
    await out.line(
      json ? JSON.stringify(subscription) : `${plain(subscription.name)} is ${subscription.state}`,
    )
    return undefined
  }

interface SeekOptions {
  readonly from: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

const seek = async (context: Context, [given]: string[], { from, dryRun, yes }: SeekOptions) => {
  const { connection, options, json, out, report } = context
  const name = required(given)
  if (!dryRun && !yes) requireSomebody(json, '--yes; --dry-run says what it would do')
  if (!yes || dryRun) {
    const would = await seekSubscription(connection, name, { from, dryRun: true }, options)
    if (dryRun) {
      await out.line(json ? JSON.stringify(would) : soughtText(would))
      return undefined
    }
    report(soughtText(would))
    if (!(await confirm(`Type ${name} to move it: `, name, context.signal))) {
      report('nothing is moved')
      return exitCodes.refused
    }
  }
  const sought = await seekSubscription(connection, name, { from }, options)
  await out.line(json ? JSON.stringify(sought) : soughtText(sought))
  return undefined
}

/** For instance `400 events would be handed out again, 0 would be skipped, and workers would lose 2 that they have`. */
function soughtText({ dry_run, again, skipped, lost }: Sought): string {
  const [are, lose] = dry_run ? ['would be', 'would lose'] : ['are', 'lose']
  return [
    `${count(again, 'event')} ${are} handed out again`,
    `${count(skipped, 'event')} ${are} skipped`,
    `workers ${lose} ${count(lost, 'event')} that they have`,
  ].join(', ')
}

const remove = async (context: Context, [given]: string[], { yes }: { readonly yes?: boolean }) => {
  const { connection, options, json, out, report } = context
  const name = required(given)
  if (!yes) {
    requireSomebody(json, '--yes')
    const { lag, dead } = await readSubscription(connection, name, options)
    report(`${plain(name)} has ${count(lag, 'event')} to go and ${count(dead, 'dead letter')}`)
    if (!(await confirm(`Type ${name} to delete it: `, name, context.signal))) {
      report('nothing is deleted')
      return exitCodes.refused
    }
  }
  await dropSubscription(connection, name, options)
  await out.line(json ? JSON.stringify({ name, status: 'deleted' }) : `${plain(name)} is deleted`)
  return undefined
}

function requireSomebody(json: boolean, say: string): void {
  if (!isInteractive(json)) throw new UsageError(`nobody can be asked here: say ${say}`)
}
