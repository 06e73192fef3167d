import { explainTimestamp, normalizeTimestamp } from '@sekali/core/timestamp'
import { InvalidArgumentError } from 'commander'

const examples = 'It can be 1h, 30m, 2d, today, yesterday, 2026-11-25, 2026-11-25T10:00 (UTC) or RFC 3339'

const unitMs = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const
const ago = /^(?=\d)(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?$/
const day = /^\d{4}-\d\d-\d\d$/
const withoutOffset = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?$/

/**
 * Reads a time as people write it, and returns it with an offset. All of it is UTC, as the times of the log are: a day
 * begins at midnight UTC, and a time of day without an offset is UTC. `1h30m` is that long before `nowMs`. What has an
 * offset already is returned as it is, to the last digit. Throws InvalidArgumentError.
 */
export function parseTime(text: string, nowMs: number): string {
  const time = timeOf(text, nowMs)
  if (normalizeTimestamp(time) !== undefined) return time
  // Of what looks like a day or a time of day the mistake is known; otherwise the examples help more.
  const mistake = /^\d{4}-\d\d-\d\d/.test(text) ? `It ${explainTimestamp(time)}. ` : ''
  throw new InvalidArgumentError(`${mistake}${examples}.`)
}

/** The same for an option of commander's. */
export const time = (text: string): string => parseTime(text, Date.now())

/** How long `1h30m` is, in milliseconds; undefined for what is no such text. */
export function durationMs(text: string): number | undefined {
  const parts = ago.exec(text)?.slice(1)
  if (parts === undefined) return undefined
  const [w = 0, d = 0, h = 0, m = 0, s = 0] = parts.map((part = '0') => Number(part))
  return w * unitMs.w + d * unitMs.d + h * unitMs.h + m * unitMs.m + s * unitMs.s
}

function timeOf(text: string, nowMs: number): string {
  if (text === 'now') return isoOf(nowMs)
  if (text === 'today') return midnight(nowMs)
  if (text === 'yesterday') return midnight(nowMs - unitMs.d)
  if (day.test(text)) return `${text}T00:00:00Z`
  if (withoutOffset.test(text)) return `${text.replace(' ', 'T')}Z`
  const agoMs = durationMs(text)
  return agoMs === undefined ? text : isoOf(nowMs - agoMs)
}

/** Empty for what no calendar has: so long ago. */
const isoOf = (ms: number): string =>
  Number.isFinite(new Date(ms).valueOf()) ? new Date(ms).toISOString() : ''

const midnight = (ms: number): string => `${isoOf(ms).slice(0, 10)}T00:00:00Z`
