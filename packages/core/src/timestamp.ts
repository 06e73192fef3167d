const iso8601 =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,6}))?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)$/

/** What nearly all send: in UTC, to the millisecond or the microsecond, and on a day that every month has. */
const usual =
  /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}(?:\d{3})?Z$/
const millisecondsChars = '2000-01-01T00:00:00.000Z'.length

/**
 * ISO 8601 with an offset, brought to UTC as `YYYY-MM-DDTHH:MM:SS.ffffffZ`; undefined if it is anything else.
 *
 * Seconds and fraction may be left out, `,` may stand for `.`, and the offset may be `Z`, `±HH:MM`, `±HHMM` or
 * `±HH`, at most 23:59. A seventh digit is refused even if it is 0: it could not be kept, and a client must not
 * learn that from one event in ten. Refused too: a missing offset, which would be a guess; 24:00 and :60, which
 * have no other notation in UTC; days that no calendar has; years before 0001 or after 9999, in UTC.
 */
export function normalizeTimestamp(text: string): string | undefined {
  if (usual.test(text)) return text.length > millisecondsChars ? text : `${text.slice(0, -1)}000Z`
  const match = iso8601.exec(text)
  if (match === null) return undefined
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
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  if (Number(aheadHours) > 23 || Number(aheadMinutes) > 59) return undefined

  // Not Date.UTC: it takes the years 0 to 99 for 1900 to 1999.
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined

  const ahead = (sign === '-' ? -1 : 1) * (Number(aheadHours) * 60 + Number(aheadMinutes))
  date.setUTCHours(Number(hour), Number(minute) - ahead, Number(second))
  if (date.getUTCFullYear() < 1 || date.getUTCFullYear() > 9999) return undefined
  return `${date.toISOString().slice(0, 19)}.${fraction.padEnd(6, '0')}Z`
}
