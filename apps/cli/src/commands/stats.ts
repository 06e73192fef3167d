import type { ConsumerFigures, Stats } from '@sekali/client/answers'
import { wait } from '@sekali/client/retry'
import { type Figures, figureNames, outcomeNames } from '@sekali/core/figures'
import type { Command } from 'commander'
import { wholeNumber } from '../arguments.ts'
import { action, type Context, type Surroundings } from '../context.ts'
import { count, number, plain, styled, table } from '../terminal/text.ts'
import { calls } from './calls.ts'
import { reportNoTopic } from './no-topic.ts'

interface Options {
  readonly watch?: number | true
}

export function addStats(program: Command, surroundings: Surroundings): void {
  program
    .command('stats')
    .summary('what was accepted, and what came of it')
    .description(
      `Shows the figures of every topic: accepted = ${outcomeNames.join(' + ')} + in flight. A ? is ` +
        'what cannot be known now.',
    )
    .argument('[topic]', 'only this one, or those of a pattern; the last row is over all topics')
    .option(
      '-w, --watch [seconds]',
      'show them again at this interval (seconds), until Ctrl-C',
      wholeNumber(1, 3_600),
    )
    .addHelpText(
      'after',
      `
Examples:
  $ sekali stats
  $ sekali stats --watch
  $ sekali stats 'orders.>'
  $ sekali stats --json | jq .totals.in_flight
`,
    )
    .addHelpText('after', calls('readStats'))
    .action(action(surroundings, run))
}

const run = async (context: Context, [topic]: string[], { watch }: Options) => {
  const { client, options, json, out, signal } = context
  const everyMs = (watch === true ? 1 : (watch ?? 0)) * 1_000
  const wanted = { ...options, ...(topic !== undefined && { topic }) }
  let before: Moment | undefined
  // Ended by the signal, if it is to be repeated at all.
  for (;;) {
    const now: Moment = { stats: await client.stats(wanted), atMs: performance.now() }
    if (json) await out.line(JSON.stringify(now.stats))
    else await out.write(`${redraw(watch !== undefined)}${tables(now, before, topic).join('\n')}\n`)
    if (everyMs === 0) {
      if (!json && topic !== undefined && now.stats.topics?.length === 0) await reportNoTopic(context, topic)
      return undefined
    }
    before = now
    await wait(everyMs, signal)
  }
}

interface Moment {
  readonly stats: Stats
  readonly atMs: number
}

/** A terminal is drawn anew from its top; elsewhere one report follows the other. */
const redraw = (again: boolean) => (again && process.stdout.isTTY ? '\u001b[H\u001b[2J' : '')

function tables({ stats, atMs }: Moment, before: Moment | undefined, topic: string | undefined): string[] {
  const row = (title: string, figures: Figures) => [
    title,
    ...figureNames.map((name) => number(figures[name])),
  ]
  const rows = (stats.topics ?? []).map((topic) => row(plain(topic.topic), topic))
  const head = ['topic', ...figureNames.map((name) => name.replace('_', ' '))]
  const rate = before && perSecond(stats, before, atMs)
  return [
    ...table(head, [...rows, row(topic === undefined ? 'total' : 'all topics', stats.totals)]),
    '',
    [
      consumersText(stats.consumers),
      ...(rate === undefined ? [] : [`${count(rate, 'event')} stored a second`]),
      ...troubles(stats),
    ].join(' · '),
    ...warnings(stats),
  ]
}

function perSecond({ totals }: Stats, before: Moment, atMs: number): number | undefined {
  const was = before.stats.totals.stored
  if (totals.stored === null || was === null) return undefined
  return Math.round((totals.stored - was) / ((atMs - before.atMs) / 1_000))
}

function consumersText(consumers: readonly ConsumerFigures[] | null): string {
  if (consumers === null) return 'consumers unknown: Redis does not answer'
  return count(consumers.length, 'consumer')
}

/** What there need not be. A gateway of before does not say it. */
function troubles({ oldest_in_flight_seconds: seconds, open_letters: open }: Stats): string[] {
  const letters = open ? open.entries + open.conflicts + (open.deliveries ?? 0) : 0
  return [
    ...(seconds ? [`the oldest in flight waits for ${seconds.toFixed(1)} s`] : []),
    ...(letters > 0 ? [`${count(letters, 'dead letter')} ${letters === 1 ? 'is' : 'are'} open`] : []),
  ]
}

function warnings({ consumers, totals }: Stats): string[] {
  if (consumers?.length !== 0 || totals.in_flight === 0) return []
  return [styled('red', 'nobody stores what is in flight: start a consumer')]
}
