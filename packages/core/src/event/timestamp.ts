const form =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)$/

/** What nearly all send: in UTC, with three, six or nine fractional digits, and on a day that every month has. */
const usual =
  /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}(?:\d{3}){0,2}(?:Z|\+00:00)$/
const millisecondsEnd = '2000-01-01T00:00:00.000'.length
const microsecondsEnd = '2000-01-01T00:00:00.000000'.length

/**
 * ISO 8601 with an offset, brought to UTC as `YYYY-MM-DDTHH:MM:SS.ffffffZ`; undefined if it is anything else.
 *
 * Seconds and fraction may be left out, `,` may stand for `.`, `t` and `z` for `T` and `Z` (RFC 3339, 5.6), and the
 * offset may be `Z`, `±HH:MM`, `±HHMM` or `±HH`, at most 23:59. Java, .NET and Go print up to nine fractional digits:
 * those behind the sixth are cut off, because PostgreSQL keeps microseconds. Everything behind this door has the value
 * that is left, so two events that differ in nothing else are the same. Refused: a tenth digit, which no clock has; a
 * missing offset, which would be a guess; 24:00 and :60, which have no other notation in UTC; days that no calendar
 * has; years before 0001 or after 9999, in UTC. `explainTimestamp` says which of these it is.
 */
export function normalizeTimestamp(text: string): string | undefined {
  if (usual.test(text)) {
    const end = text.length - (text.endsWith('Z') ? 1 : '+00:00'.length)
    return end === millisecondsEnd ? `${text.slice(0, end)}000Z` : `${text.slice(0, microsecondsEnd)}Z`
  }
  const read = readParts(text)
  return typeof read === 'string' ? undefined : read.utc
}

const shapeRule =
  'must be ISO 8601 with an offset and at most nine fractional digits, such as 2025-12-08T10:00:00.123456+00:00'

/** What is wrong with a text that `normalizeTimestamp` refuses, in words that do not repeat it. */
export function explainTimestamp(text: string): string {
  const read = readParts(text)
  return typeof read === 'string' ? read : shapeRule
}

/** The instant, or the rule that is broken. */
function readParts(text: string): { readonly utc: string } | string {
  const match = form.exec(text)
  if (match === null) return shapeRuleOf(text)
  const [
    ,
    year,
    month,
    day,
    hour,
    minute,
    second = '0',
    fraction = '',
    sign,
    aheadHours = '0',
    aheadMinutes = '0',
  ] = match
  if (Number(month) < 1 || Number(month) > 12) return 'must have a month from 01 to 12'
  if (Number(hour) > 23) return 'must have an hour from 00 to 23: midnight is 00:00 of the next day'
  if (Number(minute) > 59) return 'must have a minute from 00 to 59'
  if (Number(second) > 59) return 'must have a second from 00 to 59: a leap second cannot be kept'
  if (Number(aheadHours) > 23 || Number(aheadMinutes) > 59) return 'must have an offset of at most 23:59'
  if (Number(day) < 1) return 'must be a day that the calendar has: the first is 01'

  // Not Date.UTC: it takes the years 0 to 99 for 1900 to 1999.
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) {
    return 'must be a day that the calendar has: this month of this year has fewer'
  }

  const ahead = (sign === '-' ? -1 : 1) * (Number(aheadHours) * 60 + Number(aheadMinutes))
  date.setUTCHours(Number(hour), Number(minute) - ahead, Number(second))
  if (date.getUTCFullYear() < 1 || date.getUTCFullYear() > 9999) return yearRule
  return { utc: `${date.toISOString().slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z` }
}

const yearRule = 'must have a year from 0001 to 9999, in UTC'

const day = String.raw`\d{4}-\d\d-\d\d`
const time = String.raw`\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?`
const shapeRules: readonly (readonly [RegExp, string])[] = [
  [/^-?\d+(?:\.\d+)?$/, `${shapeRule}, not a number`],
  [new RegExp(`^${day}$`), 'must have a time of day and an offset, as in 2025-12-08T10:00:00Z'],
  [new RegExp(`^${day} ${time}`), 'must have a T between the day and the time'],
  [new RegExp(`^${day}T\\d\\d:\\d\\d:\\d\\d[.,]\\d{10}`, 'i'), 'must have at most nine fractional digits'],
  [new RegExp(`^\\s+${day}|^${day}.*\\s(?:z|[+-]\\d|$)`, 'i'), 'must have no white space'],
  [new RegExp(`^${day}.*\\[.*\\]$`), 'must have an offset, and no zone in brackets behind it'],
  [new RegExp(`^${day}T${time}(?![.,:+-]|z)`, 'i'), 'must have an offset: Z, or one such as +02:00'],
  [/^[+-]\d+-\d\d-\d\d/, yearRule],
]

/** Of a text that has not even the form. */
const shapeRuleOf = (text: string): string =>
  shapeRules.find(([mistake]) => mistake.test(text))?.[1] ?? shapeRule
