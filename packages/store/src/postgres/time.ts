/**
 * A timestamptz as PostgreSQL prints it, in the form of every time of ours: `YYYY-MM-DDTHH:MM:SS.ffffffZ`. Text,
 * because a JavaScript Date has no microseconds; and formed here, because to_char() for three times a row took
 * PostgreSQL longer than all the rest of a page. Every session has UTC and ISO dates (see connect.ts); anything
 * else throws.
 */
export function utc(printed: string): string {
  // PostgreSQL leaves out what is zero at the end: 2025-12-08 10:00:00[.123456]+00
  const time = printed.slice(11, -3)
  if (!printed.endsWith('+00') || time.length < 8 || time.length > 15) throw new Error('not a time in UTC')
  const full = time.length === 8 ? `${time}.000000` : time.padEnd(15, '0')
  return `${printed.slice(0, 10)}T${full}Z`
}

/**
 * A time of ours as PostgreSQL counts it: whole milliseconds since 2000, and microseconds more. `undefined` if there is no
 * such time. What PostgreSQL reads in text is one here, too: the end of a day as 24:00, and a leap second.
 */
export function timeParts(text: string): { readonly ms: number; readonly us: number } | undefined {
  const year = digits(text, 0) * 100 + digits(text, 2)
  const month = digits(text, 5)
  const day = digits(text, 8)
  const hour = digits(text, 11)
  const minute = digits(text, 14)
  const second = digits(text, 17)
  const ms = digits(text, 20) * 10 + digit(text, 22)
  const us = digits(text, 23) * 10 + digit(text, 25)
  const isDay = year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
  const isHour = hour < 24 || (hour === 24 && minute === 0 && second === 0 && ms === 0 && us === 0)
  if (!isDay || !isHour || minute > 59 || second > 60 || text.length !== 27) return undefined
  return { ms: dayMs(year, month, day) + ((hour * 60 + minute) * 60 + second) * 1_000 + ms, us }
}

const epochLater = Date.UTC(2400, 0, 1)
// Most times are of the day of the one before them.
let lastDay = -1
let lastDayMs = 0

/** When a day begins. */
function dayMs(year: number, month: number, day: number): number {
  const number = (year * 16 + month) * 32 + day
  if (number !== lastDay) {
    lastDay = number
    // Date takes the years up to 99 for others; the calendar repeats itself after 400.
    lastDayMs = Date.UTC(year + 400, month - 1, day) - epochLater
  }
  return lastDayMs
}

const digit = (text: string, at: number) => text.charCodeAt(at) - 48
/** The number that two digits make. */
const digits = (text: string, at: number) => digit(text, at) * 10 + digit(text, at + 1)

const daysIn = (year: number, month: number): number => {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
}
