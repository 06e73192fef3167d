/** Keys: who may come in. The text of a key goes to standard output alone, where a program can take it. */
import { fstatSync } from 'node:fs'
import process from 'node:process'
import { call, jsonOf, search } from '@sekali/client/connection'
import type { Answer } from '@sekali/client/request'
import { isKeyId, keyIdRule } from '@sekali/core/key'
import { limits } from '@sekali/core/limits'
import { type Command, InvalidArgumentError } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { action, type Context, required, type Surroundings } from '../context.ts'
import { UsageError } from '../exit.ts'
import { plain, table } from '../terminal/text.ts'
import { durationMs } from '../time.ts'

export function addKey(program: Command, surroundings: Surroundings): void {
  const key = program
    .command('key')
    .summary('who may come in, and what they may do')
    .description(
      'Makes, lists, rotates and revokes keys. It takes a key with the scope admin, which may give no more than it has. ' +
        'A key is shown once, alone on standard output; everything else goes to standard error.',
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sekali key create shop --scope publish --topic 'orders.>' --source shop > shop.key   after umask 077
  $ sekali key list
  $ sekali key rotate 4nJ2bWq8ZxT0 --old-expires-in 24h > shop.key
  $ sekali key revoke 4nJ2bWq8ZxT0
`,
    )
  key
    .command('create')
    .description('Makes a key and prints it, once.')
    .argument('<name>', 'for people, who see it in lists')
    .requiredOption('--scope <scopes>', 'publish, read, admin: one or more, with commas between them', words)
    .requiredOption('--topic <patterns>', 'topics and patterns, with commas between them', words)
    .option('-s, --source <source>', 'it may publish as this source alone')
    .option('--events-per-second <n>', 'it may publish so many', wholeNumber(1, 1e12))
    .option('--bytes-per-second <n>', 'it may publish so many', wholeNumber(1, 1e12))
    .option('--expires-in <time>', 'such as 90d or 12h (default: never)', duration)
    .action(action(surroundings, create))
  key
    .command('list')
    .description('Lists the keys that may do no more than yours, oldest first, also those that have ended.')
    .action(action(surroundings, list))
  key
    .command('show')
    .description('Shows what a key may do, and when it was last used.')
    .argument('<id>')
    .action(action(surroundings, show))
  key
    .command('rotate')
    .description('Makes a key that may do the same and takes the place of another, and prints it, once.')
    .argument('<id>')
    .option('--old-expires-in <time>', 'how long the old one goes on: 0s to 7d', duration, 3_600_000)
    .action(action(surroundings, rotate))
  key
    .command('revoke')
    .description('Ends a key for good. Every gateway refuses it within 5 seconds.')
    .argument('<id>')
    .action(action(surroundings, revoke))
}

const words = (text: string): string[] => text.split(',').map((word) => word.trim())

function duration(text: string): number {
  const ms = durationMs(text)
  if (ms !== undefined) return ms
  throw new InvalidArgumentError('It must be a time such as 30m, 12h or 90d.')
}

/** As much of a key as is shown. */
interface Key {
  readonly key?: string
  readonly id: string
  readonly name: string
  readonly status: string
  readonly scopes: readonly string[]
  readonly topics: readonly string[]
  readonly source?: string
  readonly expires_at: string | null
  readonly last_used_at: string | null
  readonly successor: string | null
}

const isKey = (value: object): boolean => 'id' in value && 'scopes' in value

interface CreateOptions {
  readonly scope: readonly string[]
  readonly topic: readonly string[]
  readonly source?: string
  readonly eventsPerSecond?: number
  readonly bytesPerSecond?: number
  readonly expiresIn?: number
}

const create = async (context: Context, [name]: string[], options: CreateOptions) => {
  const { scope, topic, source, eventsPerSecond, bytesPerSecond, expiresIn } = options
  const expires = expiresIn === undefined ? undefined : new Date(Date.now() + expiresIn)
  if (expires !== undefined && Number.isNaN(expires.valueOf())) throw new UsageError('no key lives that long')
  const answer = await postOnce(context, '/keys', {
    name: required(name),
    scopes: scope,
    topics: topic,
    source,
    events_per_second: eventsPerSecond,
    bytes_per_second: bytesPerSecond,
    expires_at: expires?.toISOString(),
  })
  await handOver(context, answer, (key) => `key ${key.id} is made: ${powers(key)}`)
  return undefined
}

const rotate = async (
  context: Context,
  [id]: string[],
  { oldExpiresIn }: { readonly oldExpiresIn: number },
) => {
  const old = required(id)
  const seconds = Math.round(oldExpiresIn / 1_000)
  const answer = await postOnce(context, `${pathOf(old)}/rotate`, { old_expires_in_seconds: seconds })
  const goesOn = seconds === 0 ? 'has ended' : `goes on for ${seconds} s`
  await handOver(context, answer, (key) => `key ${key.id} takes the place of ${plain(old)}, which ${goesOn}`)
  return undefined
}

/** Throws `UsageError`. A key that was pasted in place of its id is not sent: paths get into logs. */
function pathOf(id: string): string {
  if (isKeyId(id)) return `/keys/${id}`
  throw new UsageError(`an id ${keyIdRule}, and is not the key itself: sekali key list has the ids`)
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

/** The key alone on standard output, so that `> FILE` keeps it. */
async function handOver(
  { json, out, report }: Context,
  answer: Answer,
  say: (key: Key) => string,
): Promise<void> {
  const key = jsonOf<Key>(answer, (value) => isKey(value) && 'key' in value)
  await out.line(json ? answer.text.trimEnd() : key.key)
  if (json) return
  report(`${say(key)}; it is shown this once`)
  if (isOpenFile())
    report('others can read the file that it went to: chmod 600 it, and use umask 077 next time')
}

function isOpenFile(): boolean {
  try {
    const stat = fstatSync(process.stdout.fd)
    return stat.isFile() && (stat.mode & 0o077) !== 0
  } catch {
    return false // not something that has a mode
  }
}

const powers = ({ scopes, topics, source }: Key): string =>
  plain(`${scopes.join(', ')} on ${topics.join(', ')}${source === undefined ? '' : ` as ${source}`}`)

const list = async (context: Context) => {
  const { connection, options, json, out } = context
  const keys: Key[] = []
  for (let after: string | undefined, isLast = false; !isLast; ) {
    const query = search({ limit: limits.pageSizeMax, after })
    const answer = await call(connection, `/keys${query}`, { method: 'GET' }, options)
    const page = jsonOf<Key[]>(answer, Array.isArray)
    keys.push(...page)
    const next = /[?&]after=(\w+)/.exec(answer.header('link') ?? '')?.[1]
    isLast = next === undefined
    after = next
  }
  if (json) for (const key of keys) await out.line(JSON.stringify(key))
  else if (keys.length === 0) await out.line('no keys')
  else
    for (const line of table(
      ['id', 'name', 'status', 'may', 'last used', 'expires'],
      keys.map(row),
      [0, 1, 2, 3],
    ))
      await out.line(line)
  return undefined
}

const row = (key: Key): string[] => [
  plain(key.id),
  plain(key.name),
  key.successor === null ? key.status : `${key.status}, rotated`,
  powers(key),
  minute(key.last_used_at),
  minute(key.expires_at),
]

const minute = (time: string | null): string => (time === null ? 'never' : `${time.slice(0, 16)}Z`)

const show = async ({ connection, options, json, out }: Context, [id]: string[]) => {
  const answer = await call(connection, pathOf(required(id)), { method: 'GET' }, options)
  const key = jsonOf<Record<string, unknown>>(answer, isKey)
  if (json) await out.line(answer.text.trimEnd())
  else
    for (const [name, value] of Object.entries(key)) {
      const text = Array.isArray(value) ? value.join(', ') : String(value ?? 'never')
      await out.line(
        `${name.replaceAll('_', ' ').padEnd(18)} ${plain(name === 'successor' && value === null ? 'none' : text)}`,
      )
    }
  return undefined
}

const revoke = async ({ connection, options, json, out }: Context, [id]: string[]) => {
  const answer = await call(connection, pathOf(required(id)), { method: 'DELETE' }, options)
  const key = jsonOf<Key>(answer, isKey)
  await out.line(json ? answer.text.trimEnd() : `key ${key.id} (${plain(key.name)}) is revoked`)
  return undefined
}
