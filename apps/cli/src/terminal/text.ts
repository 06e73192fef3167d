import { styleText } from 'node:util'
import type { StoredEvent } from '@sekali/client/answers'
import { findPayload } from '@sekali/core/payload'

type Style = Parameters<typeof styleText>[0]

/** Coloured if standard output is a terminal that wants colours (NO_COLOR, FORCE_COLOR). */
export function styled(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout })
}

export function number(value: number | null): string {
  return value === null ? '?' : value.toLocaleString('en-US')
}

/** `1 event`, `2 events`. */
export function count(value: number, noun: string): string {
  return `${number(value)} ${noun}${value === 1 ? '' : 's'}`
}

/** What others wrote must not steer the terminal: control characters are shown as escapes. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** An event on one line, no wider than the terminal. Its payload is shown as it was sent. */
export function eventLine(text: string): string {
  const { timestamp, topic, seq, source } = JSON.parse(text) as StoredEvent
  const head = [plain(timestamp), plain(topic), `#${seq}`, plain(source)]
  const room = (process.stdout.columns ?? Number.POSITIVE_INFINITY) - head.join('  ').length - 2
  const [time = '', name = '', place = '', from = ''] = head
  const payload = shortened(plain(findPayload(text).text ?? ''), Math.max(room, 12))
  return [
    styled('dim', time),
    styled('cyan', name),
    styled('yellow', place),
    styled('green', from),
    payload,
  ].join('  ')
}

function shortened(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`
}

/** Columns as wide as they must be; all but the first to the right, unless they are named in `left`. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  left: readonly number[] = [0],
): string[] {
  const widths = head.map((_, column) =>
    [head, ...rows].reduce((width, row) => Math.max(width, row[column]?.length ?? 0), 0),
  )
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return left.includes(column) ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
      .trimEnd()
  return [styled('bold', line(head)), ...rows.map(line)]
}
