import { Refused } from '@sekali/client/errors'
import type {
  NewPullSubscription,
  NewSubscription,
  PushOnExhausted,
  PushSubscription,
} from '@sekali/client/operate'
import { putSubscription, readSubscription } from '@sekali/client/subscriptions'
import {
  type JsonScalar,
  onExhaustedChoices,
  type SubscriptionFilter,
  subscriptionLimits,
  subscriptionOrders,
} from '@sekali/core/subscription'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { wholeNumber } from '../../arguments.ts'
import { action, type Context, required, type Surroundings } from '../../context.ts'
import { timesHelp } from '../../filters.ts'
import { plain } from '../../terminal/text.ts'
import { calls } from '../calls.ts'
import { openKeyPlace } from '../key-place.ts'
import { addPushOptions, type PushOptions, pushFields, requireKind } from './create-push.ts'
import { place } from './place.ts'

export function addCreate(subscription: Command, surroundings: Surroundings): void {
  const create = subscription
    .command('create')
    .summary('make a subscription, or change it')
    .description(
      'Makes a subscription: workers pull from it, or with --to its events are sent there. Of one that is there it changes ' +
        'the lease, the limits, the waits, --on-exhausted and what comes with --to, and gives those that are left out their ' +
        'defaults; all else stays as it was said first, and another value is refused. The secret of a new endpoint is ' +
        'printed once, alone: in the file that --out names, or on standard output.',
    )
    .argument('<name>')
    .requiredOption('--topics <topic>', "a topic, or a pattern such as 'orders.>'")
    .option('-f, --from <place>', 'where to begin: start, now, a time, or a cursor (default: now)', place)
    .addOption(
      new Option(
        '-o, --order <order>',
        'whether events of a source, or of a topic, wait for each other (default: none)',
      ).choices(subscriptionOrders),
    )
    .option(
      '--source-batch <n>',
      'with --order source: events of one source that a worker may have at a time (default: 1)',
      wholeNumber(1, subscriptionLimits.sourceBatchMax),
    )
    .option('-s, --source <name>', 'only events of this source; may be said again', collect<string>(String))
    .option(
      '--where <pointer=value>',
      "only events whose payload has this value there: '/status=paid'; may be said again",
      collect(condition),
    )
    .option(
      '--lease <seconds>',
      'how long a worker has an event without extending (default: 30)',
      wholeNumber(subscriptionLimits.leaseSecondsMin, subscriptionLimits.leaseSecondsMax),
    )
    .option(
      '--outstanding <n>',
      'events that all workers together may have (default: 1000)',
      wholeNumber(1, subscriptionLimits.outstandingMax),
    )
    .option(
      '--deliveries <n>',
      'after so many attempts an event is a dead letter (default: 5)',
      wholeNumber(1, subscriptionLimits.deliveriesMax),
    )
    .option('--backoff <seconds>', 'the waits between attempts (default: 1,5,30,120)', waits)
    .addOption(
      new Option(
        '--on-exhausted <what>',
        'whether a dead letter holds those ordered behind it (default: skip)',
      ).choices([...onExhaustedChoices, 'stop']),
    )
  addPushOptions(create)
    .addHelpText('after', `\n${timesHelp}\n`)
    .addHelpText('after', calls('putSubscription'))
    .action(action(surroundings, run))
}

interface Options extends PushOptions {
  readonly topics: string
  readonly from?: string
  readonly order?: NewSubscription['order']
  readonly sourceBatch?: number
  readonly source?: readonly string[]
  readonly where?: readonly Condition[]
  readonly lease?: number
  readonly outstanding?: number
  readonly deliveries?: number
  readonly backoff?: readonly number[]
  readonly onExhausted?: PushOnExhausted
}

const run = async (context: Context, [given]: string[], options: Options) => {
  requireKind({ ...options })
  const name = required(given)
  await (options.to === undefined ? createPull(context, name, options) : createPush(context, name, options))
  return undefined
}

const shapeOf = (options: Options) => ({
  topics: options.topics,
  from: options.from,
  order: options.order,
  filter: filterOf(options),
})

async function createPull(context: Context, given: string, options: Options): Promise<void> {
  const { connection, json, out } = context
  const wanted = {
    ...shapeOf(options),
    source_batch: options.sourceBatch,
    lease_s: options.lease,
    outstanding_max: options.outstanding,
    deliveries_max: options.deliveries,
    backoff_s: options.backoff,
    on_exhausted: options.onExhausted as NewPullSubscription['on_exhausted'],
  }
  const subscription = await putSubscription(connection, given, wanted, context.options)
  const { name, topics } = subscription
  await out.line(json ? JSON.stringify(subscription) : `${plain(name)} hands out ${plain(topics)}`)
}

async function isMade({ connection, options }: Context, name: string): Promise<boolean> {
  try {
    await readSubscription(connection, name, options)
    return true
  } catch (error) {
    if (error instanceof Refused) return false
    throw error
  }
}

/** The secret goes alone to its place, as a key does. */
async function createPush(context: Context, given: string, options: Options): Promise<void> {
  const { connection, json, out, report } = context
  // One that is there gets no new secret, so its file is not written.
  const isThere = options.out !== undefined && (await isMade(context, given))
  await using place = await openKeyPlace(options.out, out, 'secret', isThere)
  const wanted = { ...shapeOf(options), ...pushFields(options) }
  const subscription = await putSubscription(connection, given, wanted, context.options)
  const { secret, ...rest } = subscription as PushSubscription
  const { name, topics, url } = rest
  const says = `${plain(name)} sends ${plain(topics)} to ${plain(url)}`
  const undo = `sekali subscription secrets ${plain(name)} --rotate`
  if (secret === undefined) {
    if (json) await out.line(JSON.stringify(rest))
    else report(`${says}; it was there before, and keeps its secrets`)
    return
  }
  if (json && place.isOutput) return await out.line(JSON.stringify(subscription))
  const isTaken = await place.take(secret, undo)
  if (json) await out.line(JSON.stringify(rest))
  else report(`${says}; what its requests are signed with: ${isTaken}`)
}

function filterOf({ source: sources, where }: Options): SubscriptionFilter | undefined {
  if (sources === undefined && where === undefined) return undefined
  // Not Object.groupBy, which Node 20 does not know.
  const byPointer = new Map<string, readonly JsonScalar[]>()
  for (const { pointer, value } of where ?? [])
    byPointer.set(pointer, [...(byPointer.get(pointer) ?? []), value])
  return { sources, payload: where && Object.fromEntries(byPointer) }
}

interface Condition {
  readonly pointer: string
  readonly value: JsonScalar
}

/** `/status=paid`, `/total=12.5`, `/note="12.5"`: what is no number, `true`, `false`, `null` or text in quotes is a text. */
function condition(text: string): Condition {
  const [, pointer, value] = /^(\/[^=]*)=(.*)$/su.exec(text) ?? []
  if (pointer === undefined || value === undefined)
    throw new InvalidArgumentError('It must be a JSON pointer and a value, such as /status=paid.')
  return { pointer, value: scalarOf(value) }
}

function scalarOf(text: string): JsonScalar {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? text : (value as JsonScalar)
  } catch {
    return text // not JSON: a text without quotes
  }
}

/** An option that may be said again. */
const collect =
  <T>(parse: (text: string) => T) =>
  (text: string, before: readonly T[] = []): readonly T[] => [...before, parse(text)]

function waits(text: string): readonly number[] {
  const { backoffSecondsMax, backoffStepsMax } = subscriptionLimits
  const seconds = text.split(',').map(wholeNumber(0, backoffSecondsMax))
  if (seconds.length <= backoffStepsMax) return seconds
  throw new InvalidArgumentError(`It must be at most ${backoffStepsMax} seconds, with commas between them.`)
}
