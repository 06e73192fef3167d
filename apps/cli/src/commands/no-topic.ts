import type { EventsQuery, Stats } from '@sekali/client/answers'
import { type Connection, call, jsonOf, search } from '@sekali/client/connection'
import type { CallOptions } from '@sekali/client/retry'
import { SekaliError } from '@sekali/core/errors'
import { isPattern } from '@sekali/core/pattern'
import { plain } from '../terminal/text.ts'

interface Asking {
  readonly connection: Connection
  readonly signal: AbortSignal
}

/**
 * Words for when a topic, or every topic of a pattern, is not there, with names that may have been meant. Undefined if it
 * is there, or if nobody knows. `goesOn` is what the command does without it.
 */
export async function noTopic(
  { connection, signal }: Asking,
  topic: string,
  goesOn = '',
): Promise<string | undefined> {
  const names = (wanted: object) => namesOf(connection, wanted, { signal })
  try {
    const found = await names({ topic })
    if (found === undefined || found.length > 0) return undefined
    const near = nearest(topic, (await names({})) ?? [])
    const what = isPattern(topic) ? `no topic matches ${plain(topic)}` : `there is no topic ${plain(topic)}`
    return `${what} yet${goesOn}${near.length === 0 ? '' : `; there is ${near.map(plain).join(', ')}`}`
  } catch (error) {
    if (error instanceof SekaliError || signal.aborted) return undefined // what was asked for says it itself
    throw error
  }
}

interface Reporting extends Asking {
  readonly report: (line: string) => void
}

/** Says it on standard error, if there is something to say; returns whether there was. */
export async function reportNoTopic(context: Reporting, topic: string): Promise<boolean> {
  const hint = await noTopic(context, topic)
  if (hint !== undefined) context.report(hint)
  return hint !== undefined
}

/** Says why a search found nothing, if that can be known: the topic is not there, or the time that was meant is another. */
export async function reportNothing(
  context: Reporting,
  { topic, from, to, by }: Pick<EventsQuery, 'topic' | 'from' | 'to' | 'by'>,
): Promise<void> {
  if (topic !== undefined && (await reportNoTopic(context, topic))) return
  if ((from ?? to) === undefined || by !== undefined) return
  context.report(
    '--from and --to compare the timestamp of an event; --by received_at compares when Sekali received it',
  )
}

/** Of the first thousand topics: more would take long, and it is a hint. */
async function namesOf(
  connection: Connection,
  wanted: object,
  options: CallOptions,
): Promise<string[] | undefined> {
  const answer = await call(connection, `/stats${search(wanted)}`, { method: 'GET' }, options)
  const { topics } = jsonOf<Stats>(answer, (value) => 'totals' in value)
  return topics?.map(({ topic }) => topic)
}

const namedMax = 3

/** The names that differ least, if they differ by a slip of the fingers or by a segment. */
export function nearest(topic: string, names: readonly string[]): string[] {
  const wanted = topic.toLowerCase()
  const slipsMax = Math.max(1, Math.min(3, Math.floor(wanted.length / 4)))
  return names
    .map((name) => ({ name, slips: slipsBetween(wanted, name.toLowerCase()) }))
    .filter(({ name, slips }) => slips <= slipsMax || isNextTo(wanted, name.toLowerCase()))
    .sort((a, b) => a.slips - b.slips)
    .slice(0, namedMax)
    .map(({ name }) => name)
}

const isNextTo = (a: string, b: string): boolean => b.startsWith(`${a}.`) || a.startsWith(`${b}.`)

/** How many characters must be changed, put in or taken away (Levenshtein). */
function slipsBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (const [i, char] of [...a].entries()) {
    const next = [i + 1]
    for (const [j, other] of [...b].entries()) {
      const changed = (row[j] ?? 0) + (char === other ? 0 : 1)
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
