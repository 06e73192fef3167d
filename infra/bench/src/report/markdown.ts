import type { RowResult } from '../heat.ts'
import type { Spread } from '../measure/statistics.ts'
import type { Measure } from '../row.ts'
import { foreignMax, type Summary, type Verdict } from './summary.ts'
import { wrapped } from './wrapped.ts'

/** The table of a run, with what one should know about its rounds below it. */
export function toMarkdown(summaries: readonly Summary[], results: readonly RowResult[]): string {
  return [
    '| | ours | theirs | figure (lowest – highest) | must | aim | |',
    '|---|--:|--:|--:|--:|--:|---|',
    ...summaries.map(toLine),
    '',
    'What ours is, and theirs:',
    '',
    ...summaries.map(toMeaning),
    ...summaries.flatMap(toPartsTable),
    '',
    'Where the processor time went, in cores (processor seconds a second, mean of the rounds):',
    '',
    ...results.flatMap(toCoreLines),
    ...warningsOf(summaries),
    '',
  ].join('\n')
}

/** What must not go unsaid. */
const warningsOf = (summaries: readonly Summary[]): string[] =>
  summaries
    .filter(({ foreign }) => foreign !== null && foreign > foreignMax)
    .map(
      ({ row, foreign }) =>
        `\n**${row.name}: in one of the rounds others took ${percent(foreign ?? 0)} of the machine.**`,
    )

const verdicts: Readonly<Record<Verdict, string>> = {
  aim: 'aim reached',
  met: 'reached',
  missed: '**missed**',
  reported: '',
}

function toLine({ row, ours, rival, figure, verdict }: Summary): string {
  const { of, better, must, aim } = row.target
  const unit = of === 'value' ? ` ${row.unit}` : ''
  const goal = (value: number | undefined) =>
    value === undefined ? '' : `${better === 'higher' ? '≥' : '≤'} ${round(value)}${unit}`
  const cells = [
    `**${row.name}**`,
    `${round(ours.median)} ${row.unit}`,
    rival === undefined ? '–' : `${round(rival.median)} ${row.unit}`,
    `**${round(figure.median)}**${unit} (${rangeOf(figure)})`,
    goal(must),
    goal(aim),
    verdicts[verdict],
  ]
  return `| ${cells.join(' | ')} |`
}

function toMeaning({ row }: Summary): string {
  const against = row.rival === undefined ? '' : `; against: ${row.against}`
  return wrapped(`- **${row.name}**: ${row.what}${against}`, '  ')
}

function toPartsTable({ row, parts }: Summary): string[] {
  if (parts.length === 0) return []
  const lines = parts.map(
    ({ name, ours, rival, ratio }) =>
      `| ${name} | ${round(ours.median)} | ${round(rival.median)} | ${round(ratio.median)} (${rangeOf(ratio)}) |`,
  )
  return [
    '',
    `The parts of ${row.name}, in ${row.unit}:`,
    '',
    `| | ${row.ours.name} | ${row.rival?.name} | ratio (lowest – highest) |`,
    '|---|--:|--:|--:|',
    ...lines,
  ]
}

// A side that several rows share is listed with the first of them.
function toCoreLines({ row, ours, rival }: RowResult, index: number, all: readonly RowResult[]): string[] {
  const isShared = all.slice(0, index).some((other) => other.row.ours === row.ours)
  const sides: [string, readonly Measure[]][] = isShared ? [] : [[row.ours.name, ours]]
  if (row.rival !== undefined) sides.push([row.rival.name, rival])
  return sides.map(([name, measures]) => wrapped(`- ${row.name}, ${name}: ${coresOf(measures)}`, '  '))
}

const rangeOf = ({ min, max }: Spread): string => `${round(min)} – ${round(max)}`

const threeDigits = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })

/** Three digits are all that such figures can mean. */
export const round = (value: number): string => threeDigits.format(value)

const percent = (share: number): string => `${Math.round(100 * share)} %`

function coresOf(measures: readonly Measure[]): string {
  const names = [...new Set(measures.flatMap(({ cpu }) => Object.keys(cpu)))]
  const cores = names.map((name): [string, number] => {
    const each = measures.map(({ cpu, clockSeconds }) => (cpu[name] ?? 0) / clockSeconds)
    return [name, each.reduce((sum, one) => sum + one, 0) / each.length]
  })
  const spent = cores.filter(([, used]) => used >= 0.005)
  return spent.map(([name, used]) => `${name} ${used.toFixed(2)}`).join(' · ') || '–'
}
