/** What is done about the endpoint of a subscription: looked at, tried, given another secret. */
import { dropSecret, listAttempts, retryDelivery, rotateSecret, testEndpoint } from '@sekali/client/endpoints'
import type { Attempt, PushSubscription, SecretInfo } from '@sekali/client/operate'
import { readSubscription } from '@sekali/client/subscriptions'
import { limits } from '@sekali/core/limits'
import { type Command, Option } from 'commander'
import { wholeNumber } from '../../arguments.ts'
import { action, type Context, required, type Surroundings } from '../../context.ts'
import { exitCodes, UsageError } from '../../exit.ts'
import { number, plain, styled, table } from '../../terminal/text.ts'
import { calls } from '../calls.ts'
import { openKeyPlace } from '../key-place.ts'

const anyNumber = wholeNumber(1, Number.MAX_SAFE_INTEGER)

export function addEndpoint(subscription: Command, surroundings: Surroundings): void {
  subscription
    .command('attempts')
    .description(
      'Lists what was sent to the endpoint and what came back, newest first. --json has all of it.',
    )
    .argument('<name>')
    .addOption(new Option('--state <state>', 'only these').choices(['delivered', 'failed']))
    .option('--topic <topic>', 'only events of this topic')
    .option('--seq <n>', 'only the event of this number', anyNumber)
    .option('-n, --limit <n>', 'at most this many', anyNumber, 20)
    .addHelpText('after', calls('listAttempts'))
    .action(action(surroundings, attempts))
  subscription
    .command('test')
    .description(
      'Sends a sample to the endpoint, and shows what it answers: also while it is paused or disabled. It ends with 1 unless ' +
        'the answer is a success.',
    )
    .argument('<name>')
    .addHelpText('after', calls('testEndpoint'))
    .action(action(surroundings, test))
  subscription
    .command('retry')
    .description(
      'Sends one event to the endpoint again, as soon as it has room: also one that was delivered.',
    )
    .argument('<name>')
    .argument('<topic>')
    .argument('<seq>', 'which event of the topic', anyNumber)
    .addHelpText('after', calls('retryDelivery'))
    .action(action(surroundings, retry))
  subscription
    .command('secrets')
    .summary('list the secrets that sign what goes to an endpoint, make another one, delete one')
    .description(
      'Lists the secrets of the endpoint, without their texts. --rotate makes another one and prints it, once; requests are ' +
        'signed with the old ones as well, for 24 hours. --delete ends one at once.',
    )
    .argument('<name>')
    .option('--rotate', 'make another one')
    .option('--out <file>', 'with --rotate: put it there, for you alone to read, in place of printing it')
    .option('--delete <id>', 'delete the one of this id', anyNumber)
    .addHelpText('after', calls('rotateSecret', 'deleteSecret'))
    .action(action(surroundings, secrets))
}

interface AttemptsOptions {
  readonly state?: Attempt['state']
  readonly topic?: string
  readonly seq?: number
  readonly limit: number
}

const attempts = async (context: Context, [given]: string[], { limit, ...filter }: AttemptsOptions) => {
  const { connection, options, json, out } = context
  const all: Attempt[] = []
  const query = { ...filter, limit: Math.min(limit, limits.pageSizeDefault) }
  for await (const attempt of listAttempts(connection, required(given), query, options)) {
    all.push(attempt)
    if (all.length === limit) break
  }
  if (json) for (const one of all) await out.line(JSON.stringify(one))
  else if (all.length === 0) await out.line('no attempts')
  else
    for (const line of table(
      ['id', 'at', 'event', 'attempt', 'answer', 'ms', 'again'],
      all.map(row),
      [0, 1, 2, 4],
    ))
      await out.line(line)
  return undefined
}

const row = (one: Attempt): string[] => [
  String(one.id),
  `${one.at.slice(0, 19)}Z`,
  one.topic === null
    ? one.kind
    : `${plain(one.topic)} #${one.seq}${one.kind === 'event' ? '' : ` (${one.kind})`}`,
  number(one.attempt),
  answerOf(one),
  number(one.duration_ms),
  one.retry_in_s === null ? '' : `in ${number(one.retry_in_s)} s`,
]

/** For instance `204`, `timeout`, `redirect 302, which is not followed`. */
const answerOf = ({ status, error }: Attempt): string => plain(error ?? String(status ?? ''))

const test = async ({ connection, options, json, out, report }: Context, [given]: string[]) => {
  const attempt = await testEndpoint(connection, required(given), options)
  const isDelivered = attempt.state === 'delivered'
  const ending = isDelivered ? exitCodes.done : exitCodes.refused
  if (json) {
    await out.line(JSON.stringify(attempt))
    return ending
  }
  const words = isDelivered ? styled('green', 'delivered') : styled('red', 'failed')
  await out.line(`${words}: ${answerOf(attempt)} in ${number(attempt.duration_ms)} ms`)
  const body = attempt.response?.body ?? ''
  if (body !== '') report(plain(body.slice(0, bodyCharsMax)))
  return ending
}

/** Of a page of HTML the beginning will do. */
const bodyCharsMax = 500

const retry = async (context: Context, [given, topic, seq]: string[]) => {
  const { connection, options, json, out } = context
  const [name, of] = [required(given), required(topic)]
  const place = Number(required(seq))
  await retryDelivery(connection, name, of, place, options)
  const queued = { status: 'queued', name, topic: of, seq: place }
  await out.line(json ? JSON.stringify(queued) : `${plain(of)} #${place} is sent to ${plain(name)} again`)
  return undefined
}

interface SecretsOptions {
  readonly rotate?: boolean
  readonly out?: string
  readonly delete?: number
}

const secrets = async (context: Context, [given]: string[], options: SecretsOptions) => {
  const name = required(given)
  if (options.rotate && options.delete !== undefined)
    throw new UsageError('--rotate and --delete are two things: say one of them')
  if (options.out !== undefined && !options.rotate) throw new UsageError('--out needs --rotate')
  if (options.rotate) return await rotate(context, name, options.out)
  if (options.delete !== undefined) return await remove(context, name, options.delete)
  return await list(context, name)
}

async function list({ connection, options, json, out }: Context, name: string): Promise<undefined> {
  const { kind, secrets: all = [] } = (await readSubscription(connection, name, options)) as PushSubscription
  if (kind !== 'push') throw new UsageError(`workers pull from ${plain(name)}: it has no secrets`)
  if (json) for (const one of all) await out.line(JSON.stringify(one))
  else
    for (const line of table(['id', 'made', 'by', 'ends'], all.map(secretRow), [0, 1, 2, 3]))
      await out.line(line)
}

const secretRow = ({ id, created_at, created_by, expires_at }: SecretInfo): string[] => [
  String(id),
  `${created_at.slice(0, 19)}Z`,
  plain(created_by),
  expires_at === null ? '-' : `${expires_at.slice(0, 19)}Z`,
]

async function rotate(context: Context, name: string, file: string | undefined): Promise<undefined> {
  const { connection, options, json, out, report } = context
  await using place = await openKeyPlace(file, out, 'secret')
  const { secret, ...rest } = await rotateSecret(connection, name, options)
  if (json && place.isOutput) {
    await out.line(JSON.stringify({ ...rest, secret }))
    return
  }
  const isTaken = await place.take(secret, `sekali subscription secrets ${plain(name)} --rotate`)
  if (json) await out.line(JSON.stringify(rest))
  else report(`secret ${rest.id} of ${plain(name)} signs from now on, the others for 24 h; ${isTaken}`)
}

async function remove(
  { connection, options, json, out }: Context,
  name: string,
  id: number,
): Promise<undefined> {
  await dropSecret(connection, name, id, options)
  await out.line(
    json ? JSON.stringify({ status: 'deleted', id }) : `secret ${id} of ${plain(name)} is deleted`,
  )
}
