/** Numbers and times in the words that people read. */

const whole = new Intl.NumberFormat('en')
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 2 })

/** What is not known is said so, and never shown as 0. */
export const countText = (count: number | null | undefined): string =>
  count === null || count === undefined ? 'unknown' : whole.format(count)

/** Short enough for an axis: 12.3K, and 0.25 where a step is a quarter. */
export const shortText = (count: number): string => short.format(count)

/** Per second; small rates keep a digit. */
export const rateText = (rate: number | null | undefined): string => {
  if (rate === null || rate === undefined) return 'unknown'
  if (rate > 0 && rate < 0.1) return '< 0.1/s'
  return `${rate < 10 ? Number(rate.toFixed(1)) : whole.format(Math.round(rate))}/s`
}

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${whole.format(count)} ${count === 1 ? one : many}`

/** `timestamp, source and payload`. */
export const listText = (words: readonly string[]): string =>
  [words.slice(0, -1).join(', '), ...words.slice(-1)].filter(Boolean).join(' and ')

export function bytesText(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined) return 'unknown'
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[power]}`
}

/** The two largest units that count: `3 min 20 s`. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`
  const seconds = Math.floor(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3_600) return both(seconds, 60, 'min', 's')
  if (seconds < 86_400) return both(Math.floor(seconds / 60), 60, 'h', 'min')
  return both(Math.floor(seconds / 3_600), 24, 'd', 'h')
}

function both(count: number, of: number, large: string, small: string): string {
  const rest = count % of
  return `${Math.floor(count / of)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`
}

/** How long ago, or how long it takes until then. */
export function agoText(at: number, now: number): string {
  const ms = now - at
  if (Math.abs(ms) < 2_000) return 'now'
  const units: [number, string][] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1_000, 's'],
  ]
  const [unitMs, unit] = units.find(([unitMs]) => Math.abs(ms) >= unitMs) ?? [1_000, 's']
  const count = Math.floor(Math.abs(ms) / unitMs)
  return ms > 0 ? `${count} ${unit} ago` : `in ${count} ${unit}`
}

/** Of the viewer's day, with the date if it is another: `14:03:22.107`. */
export function clockText(at: number, now: number, { withMs = false } = {}): string {
  const time = new Date(at)
  const two = (count: number) => String(count).padStart(2, '0')
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
  const text = withMs ? `${clock}.${String(time.getMilliseconds()).padStart(3, '0')}` : clock
  const isToday = new Date(now).toDateString() === time.toDateString()
  return isToday ? text : `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${text}`
}

/** How the viewer's clock differs from UTC at a time: `UTC+2`. */
export function zoneText(at: Pick<Date, 'getTimezoneOffset'>): string {
  const minutes = -at.getTimezoneOffset()
  if (minutes === 0) return 'UTC'
  const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60]
  return `UTC${minutes < 0 ? '−' : '+'}${hours}${rest === 0 ? '' : `:${String(rest).padStart(2, '0')}`}`
}

/** Marks of an axis of time, in seconds since 1970: with seconds where minutes would be named twice. */
export function axisTimes(marks: readonly number[]): string[] {
  const two = (count: number) => String(count).padStart(2, '0')
  const isFine = marks.some((second) => second % 60 !== 0)
  return marks.map((second) => {
    const time = new Date(second * 1_000)
    const minute = `${time.getHours()}:${two(time.getMinutes())}`
    return isFine ? `${minute}:${two(time.getSeconds())}` : minute
  })
}
