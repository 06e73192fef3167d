/**
 * JSON without rounding where JSON.rawJSON and the source of a number are missing, as in Node 20: such a number is a marked
 * string for JavaScript's own parser and writer. It is slower, and comes to the same.
 */
const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/** Parses; a whole number that a double cannot hold becomes a `bigint`. Throws SyntaxError as JSON.parse does. */
export function parseMarked(text: string): unknown {
  // What is not JSON must not become JSON by what is done to it.
  const value: unknown = JSON.parse(text)
  const isLong = (token: string) => /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token))
  if (!text.match(tokens)?.some(isLong)) return value
  const mark = markFor(JSON.stringify(value)) // in which an escaped `#` is one
  const marked = text.replace(tokens, (token) => (isLong(token) ? `"${mark}${token}"` : token))
  return JSON.parse(marked, (_name, value: unknown) =>
    typeof value === 'string' && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value,
  )
}

/** Writes; `rawOf` has the text of a value that is to be written as it is, or undefined. */
export function stringifyMarked(
  value: unknown,
  rawOf: (value: unknown) => string | undefined,
  indent?: number,
): string {
  const write = (mark: string) =>
    JSON.stringify(
      value,
      (_name, value: unknown) => {
        const text = rawOf(value)
        return text === undefined ? value : mark + text
      },
      indent,
    )
  const mark = markFor(write('') ?? '')
  return write(mark)?.replaceAll(new RegExp(`"${mark}([^"]*)"`, 'g'), '$1')
}

/** What a text does not contain. */
function markFor(text: string): string {
  let mark = '#'
  while (text.includes(mark)) mark += '#'
  return mark
}
