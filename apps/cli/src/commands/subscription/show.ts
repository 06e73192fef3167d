import type { PullSubscription, PushSubscription, Subscription } from '@sekali/client/operate'
import { listSubscriptions, readSubscription } from '@sekali/client/subscriptions'
import { limits } from '@sekali/core/limits'
import type { Command } from 'commander'
import { wholeNumber } from '../../arguments.ts'
import { action, type Context, required, type Surroundings } from '../../context.ts'
import { count, number, plain, styled, table } from '../../terminal/text.ts'
import { calls } from '../calls.ts'

export function addShow(subscription: Command, surroundings: Surroundings): void {
  subscription
    .command('list')
    .description('Lists the subscriptions, and how far they are.')
    .option('-n, --limit <n>', 'at most this many', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .addHelpText('after', calls('listSubscriptions'))
    .action(action(surroundings, list))
  subscription
    .command('show')
    .description('Shows a subscription, how far it is, and what holds it up.')
    .argument('<name>')
    .addHelpText('after', calls('readSubscription'))
    .action(action(surroundings, show))
}

const list = async (
  { connection, options, json, out }: Context,
  _: string[],
  { limit = Number.POSITIVE_INFINITY }: { readonly limit?: number },
) => {
  const all: Subscription[] = []
  const query = { limit: Math.min(limit, limits.pageSizeMax) }
  for await (const one of listSubscriptions(connection, query, options)) {
    all.push(one)
    if (all.length === limit) break
  }
  if (json) for (const one of all) await out.line(JSON.stringify(one))
  else if (all.length === 0) await out.line('no subscriptions')
  else
    for (const line of table(
      ['name', 'topics', 'state', 'lag', 'outstanding', 'retrying', 'waiting', 'dead', 'oldest unsettled'],
      all.map(row),
      [0, 1, 2],
    ))
      await out.line(line)
  return undefined
}

const row = (one: Subscription): string[] => [
  plain(one.name),
  plain(one.topics),
  one.state,
  lagOf(one),
  ...[one.outstanding, one.retrying, one.waiting, one.dead].map(number),
  one.oldest_unsettled_at === null ? '-' : `${one.oldest_unsettled_at.slice(0, 19)}Z`,
]

/** With a filter nobody has counted what matches. */
const lagOf = ({ lag, lag_is_bound }: Subscription): string =>
  lag_is_bound && lag > 0 ? `≤ ${number(lag)}` : number(lag)

const show = async ({ connection, options, json, out }: Context, [given]: string[]) => {
  const one = await readSubscription(connection, required(given), options)
  if (json) await out.line(JSON.stringify(one))
  else for (const line of linesOf(one)) await out.line(line)
  return undefined
}

function linesOf(one: Subscription): string[] {
  const { name, topics, state, order, filter } = one
  const says =
    one.kind === 'push' ? `sends ${plain(topics)} to ${plain(one.url)}` : `hands out ${plain(topics)}`
  const stands = state === 'active' ? '' : styled('yellow', `, ${state}`)
  const facts: readonly (readonly [string, string])[] = [
    [
      'order',
      one.kind === 'pull' && one.source_batch > 1
        ? `${order}, ${one.source_batch} of a source at a time`
        : order,
    ],
    ...(filter === undefined ? [] : [['filter', JSON.stringify(filter)] as const]),
    ['lag', lagOf(one)],
    [
      'outstanding',
      `${number(one.outstanding)} of at most ${number(one.kind === 'push' ? one.concurrency : one.outstanding_max)}`,
    ],
    ['retrying', number(one.retrying)],
    ['waiting', number(one.waiting)],
    ['dead', one.dead === 0 ? '0' : `${number(one.dead)}: sekali dead-letter list --subscription ${name}`],
    ['oldest', one.oldest_unsettled_at ?? 'nothing is unsettled'],
    ...(one.kind === 'push' ? factsOfPush(one) : factsOfPull(one)),
  ]
  return [
    `${styled('cyan', plain(name))} ${says}${stands}`,
    ...facts.map(([what, value]) => `  ${what.padEnd(12)} ${plain(value)}`),
    ...one.blocked.map(({ topic, source }) =>
      styled(
        'red',
        `  ${source === undefined ? '' : `${plain(source)} of `}${plain(topic)} stands behind a dead letter`,
      ),
    ),
  ]
}

type Fact = readonly [what: string, value: string]

const factsOfPull = (one: PullSubscription): readonly Fact[] => [
  ['lease', `${count(one.lease_s, 'second')}, ${count(one.deliveries_max, 'attempt')}`],
  ['waits', one.backoff_s.length === 0 ? 'none' : `${one.backoff_s.join(', ')} s`],
]

const whys: Readonly<Record<NonNullable<PushSubscription['why']>, string>> = {
  gone: 'it answered 410',
  failing: 'it has failed for days',
  exhausted: 'it has a dead letter, and on_exhausted is stop',
}

function factsOfPush(one: PushSubscription): readonly Fact[] {
  const { success_rate: rate, rate_per_s: perSecond } = one
  const bound = perSecond === null ? '' : `, ${number(perSecond)} a second`
  const events = one.batch_max === 1 ? '' : ` of up to ${number(one.batch_max)} events`
  return [
    ['success', rate === null ? 'nothing was tried in a day' : `${Math.floor(rate * 1_000) / 10} % of a day`],
    ['failures', `${number(one.failures)} in a row`],
    ...(one.state === 'disabled' && one.why !== null
      ? [['disabled', `${whys[one.why]}, at ${one.state_since}`] as const]
      : []),
    ...(one.held_until === null ? [] : [['held', `until ${one.held_until}`] as const]),
    ...(one.next_probe_at === null ? [] : [['probe', `next at ${one.next_probe_at}`] as const]),
    [
      'requests',
      `${number(one.concurrency)} at a time${events}${bound}, ${count(one.timeout_s, 'second')} each`,
    ],
    ['waits', one.retry_s.length === 0 ? 'none: one attempt' : `${one.retry_s.join(', ')} s`],
    ['headers', one.header_names.length === 0 ? 'none of yours' : one.header_names.join(', ')],
    ['secrets', count(one.secrets?.length ?? 0, 'secret')],
  ]
}
