const iso8601 =
  /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,6}))?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)$/

/**
 * ISO 8601 with an offset, brought to UTC as `YYYY-MM-DDTHH:MM:SS.ffffffZ`; undefined if it is anything else.
 *
 * Seconds and fraction may be left out, `,` may stand for `.`, and the offset may be `Z`, `±HH:MM`, `±HHMM` or
 * `±HH`, at most 23:59. A seventh digit is refused even if it is 0: it could not be kept, and a client must not
 * learn that from one event in ten. Refused too: a missing offset, which would be a guess; 24:00 and :60, which
 * have no other notation in UTC; days that no calendar has; years before 0001 or after 9999, in UTC.
 */
export function normalizeTimestamp(text: string): string | undefined {
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

  const decimals = fraction.padEnd(6, '0')
  // What nearly all send: in UTC already, and on a day that every month has.
  const isUtc = Number(aheadHours) === 0 && Number(aheadMinutes) === 0
  if (
    isUtc &&
    year !== '0000' &&
    Number(month) >= 1 &&
    Number(month) <= 12 &&
    Number(day) >= 1 &&
    Number(day) <= 28
  ) {
    return `${text.slice(0, 16)}:${second.padStart(2, '0')}.${decimals}Z`
  }

  // Not Date.UTC: it takes the years 0 to 99 for 1900 to 1999.
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined

  const ahead = (sign === '-' ? -1 : 1) * (Number(aheadHours) * 60 + Number(aheadMinutes))
  date.setUTCHours(Number(hour), Number(minute) - ahead, Number(second))
  if (date.getUTCFullYear() < 1 || date.getUTCFullYear() > 9999) return undefined
  return `${date.toISOString().slice(0, 19)}.${decimals}Z`
}
