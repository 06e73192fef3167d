import * as v from 'valibot'

/**
 * How far a topic's stream is accounted for: the id of a Redis stream entry, `<milliseconds>-<number>`.
 * https://redis.io/docs/latest/develop/data-types/streams/#entry-ids
 */
export const Position = v.pipe(v.string(), v.regex(/^\d{1,20}-\d{1,20}$/), v.brand('Position'))
export type Position = v.InferOutput<typeof Position>

/** Before the first entry of any stream. */
export const origin = '0-0' as Position

/** Negative when `a` comes before `b`, 0 when they are the same, positive when `a` comes after. */
export function comparePositions(a: Position, b: Position): number {
  const [aDash, bDash] = [a.indexOf('-'), b.indexOf('-')]
  return (
    compareNumbers(a.slice(0, aDash), b.slice(0, bDash)) ||
    compareNumbers(a.slice(aDash + 1), b.slice(bDash + 1))
  )
}

/** Of as many digits each, as times nearly always are, texts compare like numbers, in half the time. */
function compareNumbers(a: string, b: string): number {
  if (a === b) return 0
  if (a.length === b.length) return a < b ? -1 : 1
  // Both are unsigned 64-bit numbers, and an operator may set any of them, also with zeros in front.
  const [aNumber, bNumber] = [BigInt(a), BigInt(b)]
  return aNumber === bNumber ? 0 : aNumber < bNumber ? -1 : 1
}

/** The id that comes `by` ids after `position`, within its millisecond. */
export function advance(position: Position, by: number): Position {
  if (by === 0) return position
  const dash = position.indexOf('-') + 1
  const number = position.slice(dash)
  // An operator may have set any id, and as a double the greatest are not exact.
  const next = number.length < 16 ? Number(number) + by : BigInt(number) + BigInt(by)
  return `${position.slice(0, dash)}${next}` as Position
}

/**
 * When Redis accepted the entry at `position`, by Redis's clock, in the form of every time of ours (UTC, µs). Redis
 * knows milliseconds; what stands for the microseconds is the entry's number within its millisecond, up to 999. So
 * the times of a stream's entries never go back, and tell one entry of an event from another where {@link isTimeExact}.
 */
export function timeOf(position: Position): string {
  const dash = position.indexOf('-')
  const ms = position.slice(0, dash)
  const number = position.slice(dash + 1)
  // The entries of a read share few of them.
  if (ms !== lastMs) {
    lastTime = new Date(Math.min(Number(ms), timeMax)).toISOString().slice(0, -1)
    lastMs = ms
  }
  return `${lastTime}${number.length < 4 ? number.padStart(3, '0') : '999'}Z`
}

/**
 * Whether the time of the entry at `position` is that of no other entry of its stream. It is not for a number that is too
 * great, which all get where a clock stepped back: Redis goes on counting in the millisecond of its last id.
 */
export function isTimeExact(position: Position): boolean {
  const dash = position.indexOf('-')
  const digits = position.length - dash - 1
  const isSmall = digits < 3 || (digits === 3 && !position.endsWith('-999'))
  // A time of ours has 13 digits until 2286, so only those of ids that somebody set are compared.
  return isSmall && (dash < 14 || Number(position.slice(0, dash)) <= timeMax)
}

// An entry may have any id that somebody gives it, and PostgreSQL and Date have times of their own that are
// too late.
const timeMax = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

let lastMs = ''
let lastTime = ''
