/**
 * Text out of bytes from outside: the one rule for bodies, lines and files. A decoder that is not told to be strict
 * puts U+FFFD for whatever it cannot read, and two ids become one.
 */

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of bytes, whole; undefined if they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined // the decoder's error says no more
  }
}

/** Whether a text begins with a byte order mark. */
export const hasMark = (text: string): boolean => text.charCodeAt(0) === 0xfeff

/** The text without a byte order mark, which may stand at the very beginning of what is sent (RFC 8259, 8.1). */
export const withoutMark = (text: string): string => (hasMark(text) ? text.slice(1) : text)

/** What is wrong with bytes that are not UTF-8. */
export const utf8Rule = ([first, second]: Uint8Array): string =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
    ? 'must be UTF-8: its first two bytes say that it is UTF-16'
    : 'must be UTF-8: it has bytes that are not'
