/** The tokens of JSON text, as RFC 8259 has them. Each function takes where one begins, and says where it ends. */

export const QUOTE = 0x22
export const COMMA = 0x2c
export const COLON = 0x3a
export const OPEN_BRACKET = 0x5b
export const OPEN_BRACE = 0x7b
/** Both brackets close with the character two behind the one that opens. */
export const closerOf = (opener: number): number => opener + 2

const MINUS = 0x2d
const PLUS = 0x2b
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const BACKSLASH = 0x5c
const LOWER_U = 0x75

/** White space, of which there may be none. */
export function endOfSpace(text: string, from: number): number {
  let at = from
  for (;;) {
    const char = text.charCodeAt(at)
    if (char !== 0x20 && char !== 0x0a && char !== 0x0d && char !== 0x09) return at
    at++
  }
}

/** A string, with its quotes: negative if it has escapes, 0 if it is none. */
export function endOfString(text: string, from: number): number {
  let hasEscapes = false
  for (let at = from + 1; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) return hasEscapes ? -at - 1 : at + 1
    if (char < 0x20) return 0
    if (char !== BACKSLASH) continue
    hasEscapes = true
    at++
    if (text.charCodeAt(at) === LOWER_U) {
      if (!isHex(text, at + 1)) return 0
      at += 4
    } else if (!isEscaped(text.charCodeAt(at))) return 0
  }
  return 0
}

function isHex(text: string, from: number): boolean {
  for (let at = from; at < from + 4; at++) {
    const char = text.charCodeAt(at)
    const lower = char | 0x20
    if (!((char >= ZERO && char <= NINE) || (lower >= 0x61 && lower <= 0x66))) return false
  }
  return true
}

/** What may stand behind a backslash, but for `u`: " / \ b f n r t. */
function isEscaped(char: number): boolean {
  switch (char) {
    case QUOTE:
    case 0x2f:
    case BACKSLASH:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return true
    default:
      return false
  }
}

/** A number, `true`, `false` or `null`: 0 if it is none of them. */
export function endOfScalar(text: string, from: number): number {
  switch (text.charCodeAt(from)) {
    case 0x74:
      return text.startsWith('true', from) ? from + 4 : 0
    case 0x66:
      return text.startsWith('false', from) ? from + 5 : 0
    case 0x6e:
      return text.startsWith('null', from) ? from + 4 : 0
    default:
      return endOfNumber(text, from)
  }
}

function endOfNumber(text: string, from: number): number {
  let at = text.charCodeAt(from) === MINUS ? from + 1 : from
  const whole = text.charCodeAt(at) === ZERO ? at + 1 : endOfDigits(text, at)
  if (whole === at) return 0
  at = whole
  if (text.charCodeAt(at) === POINT) {
    const fraction = endOfDigits(text, at + 1)
    if (fraction === at + 1) return 0
    at = fraction
  }
  if ((text.charCodeAt(at) | 0x20) !== 0x65) return at
  const sign = text.charCodeAt(at + 1)
  const power = sign === PLUS || sign === MINUS ? at + 2 : at + 1
  const end = endOfDigits(text, power)
  return end === power ? 0 : end
}

function endOfDigits(text: string, from: number): number {
  let at = from
  for (;;) {
    const char = text.charCodeAt(at)
    if (!(char >= ZERO && char <= NINE)) return at
    at++
  }
}

/** Whether a string has an escape of NUL or of half a surrogate pair, which PostgreSQL cannot hold. */
export function isUnstorable(text: string, from: number, to: number): boolean {
  for (let at = text.indexOf('\\', from); at !== -1 && at < to; at = text.indexOf('\\', at)) {
    if (text.charCodeAt(at + 1) !== LOWER_U) {
      at += 2
      continue
    }
    const characters = storableEscape(text, at)
    if (characters === 0) return true
    at += 6 * characters
  }
  return false
}

/** How many `\uXXXX` from here make one character that PostgreSQL can hold: 1, 2 for a surrogate pair, or 0. */
function storableEscape(text: string, at: number): 0 | 1 | 2 {
  const unit = unitOf(text, at)
  if (unit === 0) return 0
  if (unit < 0xd800 || unit > 0xdfff) return 1
  if (unit > 0xdbff) return 0
  if (text.charCodeAt(at + 6) !== BACKSLASH || text.charCodeAt(at + 7) !== LOWER_U) return 0
  const low = unitOf(text, at + 6)
  return low >= 0xdc00 && low <= 0xdfff ? 2 : 0
}

function unitOf(text: string, at: number): number {
  return Number.parseInt(text.slice(at + 2, at + 6), 16)
}
