/** Keys: who may come in. The text of a new one goes to one place alone. */
import { call, jsonOf } from '@sekali/client/connection'
import type { Answer } from '@sekali/client/request'
import { SekaliError } from '@sekali/core/errors'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { action, type Context, required, type Surroundings } from '../context.ts'
import { UsageError } from '../exit.ts'
import { plain } from '../terminal/text.ts'
import { durationMs } from '../time.ts'
import { calls } from './calls.ts'
import { type KeyPlace, openKeyPlace } from './key-place.ts'
import { allKeys, isKey, type Key, list, pathOf, powers, show } from './key-reads.ts'

export function addKey(program: Command, surroundings: Surroundings): void {
  const key = program
    .command('key')
    .summary('who may come in, and what they may do')
    .description(
      'Makes, lists, rotates and revokes keys. It takes a key with the scope admin, which may give no more than it has. ' +
        'A key is shown once, alone: in the file that --out names, or on standard output. All else goes to standard error.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sekali key create shop --scope publish --topic 'orders.>' --source shop --out shop.key
  $ sekali key list
  $ sekali key rotate 4nJ2bWq8ZxT0 --old-expires-in 24h --out shop.key
  $ sekali key revoke 4nJ2bWq8ZxT0
`,
    )
  key
    .command('create')
    .description('Makes a key and prints it, once.')
    .argument('<name>', 'for people, who see it in lists')
    .requiredOption(
      '--scope <scopes>',
      'publish, read, work, admin: one or more, with commas between them',
      words,
    )
    .requiredOption('--topic <patterns>', 'topics and patterns, with commas between them', words)
    .option('-s, --source <source>', 'it may publish as this source alone')
    .option('--events-per-second <n>', 'it may publish so many', wholeNumber(1, 1e12))
    .option('--bytes-per-second <n>', 'it may publish so many', wholeNumber(1, 1e12))
    .option('--expires-in <time>', 'such as 90d or 12h (default: never)', duration)
    .option('--out <file>', outHelp)
    .addHelpText('after', calls('createKey'))
    .action(action(surroundings, create))
  key
    .command('list')
    .description('Lists the keys that may do no more than yours, oldest first, also those that have ended.')
    .addHelpText('after', calls('listKeys'))
    .action(action(surroundings, list))
  key
    .command('show')
    .description('Shows what a key may do, and when it was last used.')
    .argument('<id>')
    .addHelpText('after', calls('readKey'))
    .action(action(surroundings, show))
  key
    .command('rotate')
    .description('Makes a key that may do the same and takes the place of another, and prints it, once.')
    .argument('<id>')
    .addOption(
      new Option('--old-expires-in <time>', 'how long the old one goes on: 0s to 7d')
        .argParser(duration)
        .default(3_600_000, '1h'),
    )
    .option('--out <file>', outHelp)
    .addHelpText('after', calls('rotateKey'))
    .action(action(surroundings, rotate))
  key
    .command('revoke')
    .description(
      'Ends a key for good. Every gateway refuses it within 5 seconds. Keys that it has made live on, and are named.',
    )
    .argument('<id>')
    .addHelpText('after', calls('revokeKey'))
    .action(action(surroundings, revoke))
}

const outHelp = 'a file for the key, which it replaces and only you can read (default: standard output)'

const words = (text: string): string[] => text.split(',').map((word) => word.trim())

function duration(text: string): number {
  const ms = durationMs(text)
  if (ms !== undefined) return ms
  throw new InvalidArgumentError('It must be a time such as 30m, 12h or 90d.')
}

interface CreateOptions {
  readonly scope: readonly string[]
  readonly topic: readonly string[]
  readonly source?: string
  readonly eventsPerSecond?: number
  readonly bytesPerSecond?: number
  readonly expiresIn?: number
  readonly out?: string
}

const create = async (context: Context, [name]: string[], options: CreateOptions) => {
  const { scope, topic, source, eventsPerSecond, bytesPerSecond, expiresIn } = options
  const expires = expiresIn === undefined ? undefined : new Date(Date.now() + expiresIn)
  if (expires !== undefined && Number.isNaN(expires.valueOf())) throw new UsageError('no key lives that long')
  await using place = await openKeyPlace(options.out, context.out)
  const answer = await postOnce(context, '/keys', {
    name: required(name),
    scopes: scope,
    topics: topic,
    source,
    events_per_second: eventsPerSecond,
    bytes_per_second: bytesPerSecond,
    expires_at: expires?.toISOString(),
  })
  await handOver(context, place, answer, (key) => `key ${key.id} is made: ${powers(key)}`)
  return undefined
}

const rotate = async (
  context: Context,
  [id]: string[],
  { oldExpiresIn, out }: { readonly oldExpiresIn: number; readonly out?: string },
) => {
  const old = required(id)
  const seconds = Math.round(oldExpiresIn / 1_000)
  await using place = await openKeyPlace(out, context.out, 'key', true)
  const answer = await postOnce(context, `${pathOf(old)}/rotate`, { old_expires_in_seconds: seconds })
  const goesOn = seconds === 0 ? 'has ended' : `goes on for ${seconds} s`
  const say = (key: Key) => `key ${key.id} takes the place of ${plain(old)}, which ${goesOn}`
  await handOver(context, place, answer, say)
  return undefined
}

/** Once: a second try after a lost answer would leave a key behind that nobody has seen. */
function postOnce({ connection, options }: Context, path: string, body: object): Promise<Answer> {
  const headers = { 'content-type': 'application/json' }
  return call(
    connection,
    path,
    { method: 'POST', headers, body: JSON.stringify(body) },
    {
      ...options,
      onRetry: ({ error }) => {
        throw error
      },
    },
  )
}

/** The key alone to its place. For programs the whole answer, without the key where a file has it. */
async function handOver(
  { json, out, report }: Context,
  place: KeyPlace,
  answer: Answer,
  say: (key: Key) => string,
): Promise<void> {
  const made = jsonOf<Key>(answer, (value) => isKey(value) && 'key' in value)
  if (json && place.isOutput) return await out.line(answer.text.trimEnd())
  const isTaken = await place.take(made.key, `sekali key revoke ${plain(made.id)}`)
  const { key: _, ...rest } = made
  if (json) await out.line(JSON.stringify(rest))
  else report(`${say(made)}; ${isTaken}`)
}

const revoke = async (context: Context, [id]: string[]) => {
  const { connection, options, json, out, report } = context
  const answer = await call(connection, pathOf(required(id)), { method: 'DELETE' }, options)
  const key = jsonOf<Key>(answer, isKey)
  await out.line(json ? answer.text.trimEnd() : `key ${key.id} (${plain(key.name)}) is revoked`)
  if (json) return undefined
  const keys = await allKeys(context).catch((error: unknown) => {
    if (error instanceof SekaliError) return undefined // it is revoked, and perhaps the key that asks is it
    throw error
  })
  if (keys === undefined) report('whether keys that it has made live on is not known: sekali key list')
  const heirs = liveOf(key.id, keys ?? [])
  const named = heirs.map((heir) => `${plain(heir.id)} (${plain(heir.name)})`).join(', ')
  if (named !== '') report(`made with it and still live: ${named}; sekali key revoke ends each of them`)
  return undefined
}

/** The live ones of the keys that a key has made, and that these have made. A key comes behind the one that made it. */
function liveOf(id: string, keys: readonly Key[]): Key[] {
  const family = new Set([id])
  const made = keys.filter((key) => family.has(key.created_by) && family.add(key.id))
  return made.filter(({ status }) => status === 'live')
}
