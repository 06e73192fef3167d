// Whether those who read all along saw exactly the final log, nothing skipped, nothing twice, nothing changed.

import { type LogRow, type Seen, seenOf } from '../clients/log.ts'
import { type Evidence, type Finding, isRestore } from './evidence.ts'

type Log = Evidence['http']

export function readerSawLog({ http, seen, told, losses }: Evidence): Finding {
  const wasRestored = losses.some(isRestore)
  if (told > 0 && !wasRestored)
    return { violation: `the reader was told of a restore, and there was none`, checked: '' }
  const violation = [...http.keys()].map((topic) => differs('the reader', topic, http, seen)).find(Boolean)
  const restores = told === 0 ? '' : `, told of restores ${told} times`
  return { violation, checked: `${countOf(http)} events, as they came${restores}` }
}

export function tailsSawLog({ http, tails, losses }: Evidence): Finding {
  const wasRestored = losses.some(isRestore)
  const found = tails.flatMap(({ name, topics, seen, told, complaints }) => [
    told > 0 && !wasRestored ? `the tail ${name} was told of a restore, and there was none` : undefined,
    ...complaints.map((complaint) => `the tail ${name}: ${complaint}`),
    ...topics.map((topic) => differs(`the tail ${name}`, topic, http, seen)),
  ])
  const connections = tails.reduce((sum, tail) => sum + tail.connections, 0)
  return {
    violation: found.find(Boolean),
    checked: `${tails.length} tails, ${connections} connections, ${countOf(http)} events each way`,
  }
}

/** What `who` saw of a topic otherwise than the log has it, in words. */
function differs(
  who: string,
  topic: string,
  http: Log,
  seen: ReadonlyMap<string, readonly Seen[]>,
): string | undefined {
  const rows = http.get(topic) ?? []
  const saw = seen.get(topic) ?? []
  const at = rows.findIndex((row, index) => !isOf(saw[index], row))
  if (at === -1) return saw.length > rows.length ? `${topic}: ${who} saw more than there is` : undefined
  const [row, it] = [rows[at], saw[at]]
  const what = it === undefined ? 'nothing' : `seq ${it.seq} (${it.id})`
  const how = it?.seq === row?.seq && it?.id === row?.id ? ' with another content' : ''
  return `${topic}: the log has seq ${row?.seq} (${row?.id}) where ${who} saw ${what}${how}`
}

const isOf = (it: Seen | undefined, row: LogRow): boolean =>
  it?.seq === row.seq && it.id === row.id && it.digest === seenOf(row).digest

const countOf = (log: Log): number => [...log.values()].reduce((sum, rows) => sum + rows.length, 0)
