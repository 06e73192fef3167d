import { call, jsonOf, search } from '@sekali/client/connection'
import { limits } from '@sekali/core/limits'
import type { Command } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { action, type Context, type Surroundings } from '../context.ts'
import { plain, table } from '../terminal/text.ts'
import { calls } from './calls.ts'

export function addAudit(program: Command, surroundings: Surroundings): void {
  program
    .command('audit')
    .summary('what administrators did')
    .description(
      'Shows who made, rotated or revoked keys, dropped topics or projections, asked for rebuilds, or was denied. ' +
        'It takes a key with the scope admin for all topics. Numbers have no gap.',
    )
    .option('-n, --limit <n>', 'at most this many entries', wholeNumber(1, Number.MAX_SAFE_INTEGER), 20)
    .option(
      '-a, --after <n>',
      'entries behind this number, oldest first',
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
    )
    .option('-b, --before <n>', 'entries before this number', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .addHelpText(
      'after',
      `
Examples:
  $ sekali audit                              the newest
  $ sekali audit --after 0 --limit 100000 --json > audit.ndjson
`,
    )
    .addHelpText('after', calls('readAudit'))
    .action(action(surroundings, audit))
}

interface Entry {
  readonly number: number
  readonly at: string
  readonly actor: string
  readonly client: string | null
  readonly action: string
  readonly target: string
  readonly details: object
}

interface Options {
  readonly limit: number
  readonly after?: number
  readonly before?: number
}

const audit = async (
  { connection, options, json, out }: Context,
  _: string[],
  { limit, after, before }: Options,
) => {
  const entries: Entry[] = []
  let bounds: { after?: number | undefined; before?: number | undefined } | undefined = { after, before }
  while (bounds !== undefined) {
    const query = search({ ...bounds, limit: Math.min(limit - entries.length, limits.pageSizeMax) })
    const answer = await call(connection, `/audit${query}`, { method: 'GET' }, options)
    const page = jsonOf<Entry[]>(answer, Array.isArray)
    if (json) for (const entry of page) await out.line(JSON.stringify(entry))
    entries.push(...page)
    const last = answer.header('link') === null ? undefined : page.at(-1)?.number
    const isOver = last === undefined || entries.length >= limit
    bounds = isOver ? undefined : after === undefined ? { before: last } : { after: last, before }
  }
  if (json) return undefined
  if (entries.length === 0) await out.line('no entries')
  else
    for (const line of table(
      ['', 'at', 'who', 'from', 'what', 'of', ''],
      entries.map(row),
      [1, 2, 3, 4, 5, 6],
    ))
      await out.line(line)
  return undefined
}

const row = ({ number, at, actor, client, action: what, target, details }: Entry): string[] => [
  String(number),
  `${at.slice(0, 19)}Z`,
  plain(actor),
  plain(client ?? 'here'),
  plain(what),
  plain(target),
  Object.keys(details).length === 0 ? '' : plain(JSON.stringify(details)),
]
