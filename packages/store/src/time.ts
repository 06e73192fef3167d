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
