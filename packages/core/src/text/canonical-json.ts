/**
 * One text for all JSON texts that mean the same: whatever their white space, escapes and order of keys, and with numbers
 * by their value, to the last digit: `1.50` is `15e-1`, and 9007199254740993 is not 9007199254740992.
 *
 * The form is kept for good, because what is made of it is stored: no space; objects with their keys in the order of code
 * points, each once, with the value that came last, as JSON.parse has it; strings as JSON.stringify writes them; a number
 * as its digits without zeros at either end and the power of ten they are multiplied by, which is left out if it is 0. A
 * whole number that ends in no zero is so its own form, `100` is `1e2`, and all zeros are `0`.
 *
 * RFC 8785 has another form, of doubles: there 9007199254740993 becomes 9007199254740992.
 */
import { limits } from '../limits.ts'
import {
  COLON,
  COMMA,
  closerOf,
  endOfScalar,
  endOfSpace,
  endOfString,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './json-text.ts'

/** Undefined for what is no JSON, and for what has more levels than a payload may have. */
export function canonicalJson(text: string): string | undefined {
  const reader: Reader = { text, at: endOfSpace(text, 0) }
  const value = readValue(reader, 0)
  return endOfSpace(text, reader.at) === text.length ? value : undefined
}

/** Whether two JSON texts mean the same. False for what is no JSON. */
export function isSameJson(one: string, other: string): boolean {
  const canonical = canonicalJson(one)
  return canonical !== undefined && canonical === canonicalJson(other)
}

/** `at` is where the next token begins. */
interface Reader {
  readonly text: string
  at: number
}

/** Reads a value and leaves the reader behind it. `depth` counts the levels that it is in. */
function readValue(reader: Reader, depth: number): string | undefined {
  const { text, at } = reader
  const first = text.charCodeAt(at)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) {
    if (depth === limits.payloadDepthMax) return undefined
    reader.at = endOfSpace(text, at + 1)
    return first === OPEN_BRACE ? readObject(reader, depth + 1) : readArray(reader, depth + 1)
  }
  if (first === QUOTE) return readString(reader)
  const end = endOfScalar(text, at)
  if (end === 0) return undefined
  reader.at = end
  const token = text.slice(at, end)
  return first === LOWER_T || first === LOWER_F || first === LOWER_N ? token : canonicalNumber(token)
}

const LOWER_T = 0x74
const LOWER_F = 0x66
const LOWER_N = 0x6e

/** From behind its bracket. */
function readArray(reader: Reader, depth: number): string | undefined {
  const { text } = reader
  if (text.charCodeAt(reader.at) === closerOf(OPEN_BRACKET)) {
    reader.at++
    return '[]'
  }
  for (let written = '['; ; written += ',') {
    const value = readValue(reader, depth)
    if (value === undefined) return undefined
    written += value
    const next = readEnd(reader, OPEN_BRACKET)
    if (next !== COMMA) return next === 0 ? undefined : `${written}]`
  }
}

/** From behind its brace. */
function readObject(reader: Reader, depth: number): string | undefined {
  const { text } = reader
  if (text.charCodeAt(reader.at) === closerOf(OPEN_BRACE)) {
    reader.at++
    return '{}'
  }
  // By key, without its quotes and escapes. A map and no object, so that no key is special.
  const members = new Map<string, string>()
  for (;;) {
    const key = text.charCodeAt(reader.at) === QUOTE ? readString(reader) : undefined
    const colon = endOfSpace(text, reader.at)
    if (key === undefined || text.charCodeAt(colon) !== COLON) return undefined
    reader.at = endOfSpace(text, colon + 1)
    const value = readValue(reader, depth)
    if (value === undefined) return undefined
    members.set(key.includes('\\') ? JSON.parse(key) : key.slice(1, -1), `${key}:${value}`)
    const next = readEnd(reader, OPEN_BRACE)
    if (next === COMMA) continue
    if (next === 0) return undefined
    const sorted = [...members].sort(([a], [b]) => compareCodePoints(a, b))
    return `{${sorted.map(([, member]) => member).join(',')}}`
  }
}

/** What stands behind a value in an object or array: a comma, the bracket that closes it, or 0 for anything else. */
function readEnd(reader: Reader, opener: number): number {
  const at = endOfSpace(reader.text, reader.at)
  const next = reader.text.charCodeAt(at)
  if (next !== COMMA && next !== closerOf(opener)) return 0
  reader.at = next === COMMA ? endOfSpace(reader.text, at + 1) : at + 1
  return next
}

function readString(reader: Reader): string | undefined {
  const { text, at } = reader
  const end = endOfString(text, at)
  if (end === 0) return undefined
  reader.at = Math.abs(end)
  const token = text.slice(at, reader.at)
  // Without an escape there is nothing in it that would be written with one.
  return end > 0 ? token : JSON.stringify(JSON.parse(token))
}

/**
 * By code points and not by UTF-16 units, as PostgreSQL's collation "C" and most languages sort. Units do the same but for
 * surrogates, which stand for what lies behind U+FFFF and are units below U+E000.
 */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const one = a.charCodeAt(at)
    const other = b.charCodeAt(at)
    if (one !== other) return rankOf(one) - rankOf(other)
  }
  return a.length - b.length
}

const rankOf = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x1_0000 : unit)

function canonicalNumber(token: string): string {
  if (/^-?\d*[1-9]$/.test(token)) return token
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(token) ?? []
  const digits = withoutZeros(whole + fraction)
  if (digits.text === '') return '0'
  const power = addTo(exponent, digits.cutAtEnd - fraction.length)
  return power === '0' ? sign + digits.text : `${sign}${digits.text}e${power}`
}

/** By hand: `/0+$/` looks at each zero of a long number again for each zero before it. */
function withoutZeros(digits: string): { readonly text: string; readonly cutAtEnd: number } {
  let from = 0
  while (digits.charCodeAt(from) === ZERO) from++
  let to = digits.length
  while (to > from && digits.charCodeAt(to - 1) === ZERO) to--
  return { text: digits.slice(from, to), cutAtEnd: digits.length - to }
}

const ZERO = 0x30

/**
 * A sum as decimal text. An exponent may itself have as many digits as a payload has room for: BigInt takes a tenth of a
 * second for those.
 */
function addTo(exponent: string, more: number): string {
  const digits = exponent.replace(/^[+-]?0*/, '')
  if (digits.length <= groupDigits) return String(Number(exponent) + more)
  const sign = exponent.startsWith('-') ? '-' : ''
  return sign + withoutZerosBefore(addToLong(digits, sign === '' ? more : -more))
}

/** Digits that a double holds with room for a carry. */
const groupDigits = 15

/** Group by group from the right, as far as something is carried. `digits` are far more than what is added. */
function addToLong(digits: string, more: number): string {
  const sums: string[] = []
  let carried = more
  let to = digits.length
  while (carried !== 0) {
    const from = Math.max(0, to - groupDigits)
    const sum = Number(digits.slice(from, to)) + carried
    carried = from === 0 ? 0 : Math.floor(sum / 10 ** groupDigits)
    sums.push(String(sum - carried * 10 ** groupDigits).padStart(to - from, '0'))
    to = from
  }
  return digits.slice(0, to) + sums.reverse().join('')
}

const withoutZerosBefore = (digits: string): string => digits.replace(/^0+/, '')
