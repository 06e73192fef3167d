/** Lists and parameters in headers, in which a quoted string may have what otherwise stands between two (RFC 9110, 5.6). */

const betweenCommas = /(?:"(?:[^"\\]|\\.)*"?|[^",])+/g
const betweenSemicolons = /(?:"(?:[^"\\]|\\.)*"?|[^";])+/g

/** What is between separators. A quoted string without an end goes to the end. */
export const split = (text: string, separator: ',' | ';'): readonly string[] =>
  text.includes('"')
    ? (text.match(separator === ',' ? betweenCommas : betweenSemicolons) ?? [])
    : text.split(separator)

/** The value of a token or of a quoted string. */
export const unquoted = (value: string): string =>
  value.startsWith('"') ? value.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1') : value
