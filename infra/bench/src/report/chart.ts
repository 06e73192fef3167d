import { round } from './markdown.ts'
import type { Summary } from './summary.ts'

// Readable on GitHub's light and dark pages alike: it shows an SVG as an image, without the page's style sheet.
const colours = { aim: '#1a7f37', met: '#2da44e', missed: '#cf222e', reported: '#57606a', text: '#7d8590' }
const lineHeight = 34
const left = 110
const width = 760
const plot = width - left - 150
/** What lies further right is drawn at the edge. */
const shareMax = 2

/**
 * One bar a row: how much of its goal the figure came to, so that rows of different units stand beside each other.
 * The goal is what the row must reach, or its aim; the line at 1 is the goal, and longer is better in every row. The
 * thin line is the spread of the rounds.
 */
export function toChart(summaries: readonly Summary[]): string {
  const drawn = summaries.filter(({ row }) => goalOf(row) !== undefined)
  const height = lineHeight * drawn.length + 50
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    '  font-family="ui-sans-serif, system-ui, sans-serif" font-size="13" role="img">',
    '<title>Each figure as a share of its goal</title>',
    ...drawn.map((summary, index) => toBar(summary, 30 + index * lineHeight)),
    `<line x1="${xOf(1)}" y1="20" x2="${xOf(1)}" y2="${height - 20}" stroke="${colours.text}" stroke-dasharray="4 3"/>`,
    text(xOf(1), 14, 'goal', 'middle'),
    '</svg>',
    '',
  ].join('\n')
}

function toBar({ row, figure, verdict }: Summary, y: number): string {
  const goal = goalOf(row) ?? 1
  const shareOf = (value: number) => (row.target.better === 'higher' ? value / goal : goal / value)
  const colour = colours[verdict]
  const ends = [xOf(shareOf(figure.min)), xOf(shareOf(figure.max))]
  const unit = row.target.of === 'value' ? ` ${row.unit}` : ' ×'
  return [
    text(left - 10, y + 15, row.name, 'end'),
    `<rect x="${left}" y="${y + 3}" width="${xOf(shareOf(figure.median)) - left}" height="16" rx="3" fill="${colour}"/>`,
    `<line x1="${Math.min(...ends)}" y1="${y + 23}" x2="${Math.max(...ends)}" y2="${y + 23}" stroke="${colour}"/>`,
    text(left + plot + 12, y + 15, `${round(figure.median)}${unit} of ${round(goal)}`, 'start'),
  ].join('\n')
}

const goalOf = ({ target }: Summary['row']): number | undefined => target.must ?? target.aim

const xOf = (share: number): number =>
  Math.round(left + (plot * Math.min(Math.max(share, 0), shareMax)) / shareMax)

const text = (x: number, y: number, words: string, anchor: 'start' | 'middle' | 'end'): string =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${colours.text}">${words}</text>`
