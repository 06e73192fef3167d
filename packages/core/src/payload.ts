/**
 * Finds the text of an event's payload inside the body it came in, so that it can be kept as it was sent:
 * JSON.parse followed by JSON.stringify would turn 9007199254740993 into 9007199254740992, 1e400 into null and
 * 0.10 into 0.1. It also measures what only the text tells at no cost: the depth, and the escapes of characters
 * that PostgreSQL cannot hold.
 *
 * It relies on JSON.parse having accepted the body and on the body being well-formed UTF-16, and so needs no
 * grammar: outside of strings, braces balance and a comma at level 1 ends a member; inside of them, only a
 * backslash hides a quote. It is one loop without recursion; 10,000 brackets cost 10,000 steps.
 */
export interface PayloadText {
  /** Undefined if the last member called `payload` is neither an object nor an array. */
  readonly text: string | undefined
  /** Levels of objects and arrays, the payload itself counted. */
  readonly depth: number
  /** Whether a key or a string has an escape of NUL or of half a surrogate pair. */
  readonly unstorable: boolean
}

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const LOWER_U = 0x75

/** The payload of a body that is one event. If the key comes more than once the last one counts, as for JSON.parse. */
export function findPayload(body: string): PayloadText {
  return findPayloads(body, 0)[0] ?? none
}

const none: PayloadText = { text: undefined, depth: 0, unstorable: false }

/**
 * The payloads of all events of a body: of the one that it is (`outer` 0), or of those in the array that it is
 * (`outer` 1), where an element that is no object has none.
 */
export function findPayloads(body: string, outer: 0 | 1): PayloadText[] {
  const found: PayloadText[] = []
  let text: string | undefined
  let depth = 0
  let unstorable = false

  let level = 0
  let start = -1
  let atKey = false
  let inPayload = false
  let backslash = nextBackslash(body, 0)

  for (let i = 0; i < body.length; i++) {
    const char = body.charCodeAt(i)
    if (char === QUOTE) {
      const opened = i
      let escaped = false
      i = body.indexOf('"', i + 1)
      while (backslash < i) {
        escaped = true
        if (body.charCodeAt(backslash + 1) !== LOWER_U) {
          backslash += 2
        } else {
          const characters = storableEscape(body, backslash)
          if (characters === 0) unstorable ||= inPayload
          backslash += 6 * (characters || 1)
        }
        if (backslash > i) i = body.indexOf('"', backslash)
        backslash = nextBackslash(body, backslash)
      }
      if (atKey) {
        inPayload = isPayloadKey(body, opened, i, escaped)
        atKey = false
        if (inPayload) {
          text = undefined
          depth = 0
          unstorable = false
        }
      }
    } else if (char === 0x7b || char === 0x5b) {
      level++
      if (level === outer + 1) atKey = char === 0x7b
      else if (inPayload) {
        if (level === outer + 2) start = i
        if (level - 1 - outer > depth) depth = level - 1 - outer
      }
    } else if (char === 0x7d || char === 0x5d) {
      level--
      if (level === outer + 1 && inPayload) text = body.slice(start, i + 1)
    } else if (char === COMMA && level === outer + 1) {
      atKey = true
      inPayload = false
    } else if (char === COMMA && level === outer) {
      found.push({ text, depth, unstorable })
      text = undefined
      depth = 0
      unstorable = false
      inPayload = false
    }
  }
  found.push({ text, depth, unstorable })
  return found
}

/** Where the next backslash is; the end of the body if there is none, so that it compares as "later". */
function nextBackslash(body: string, from: number): number {
  const at = body.indexOf('\\', from)
  return at === -1 ? body.length : at
}

function isPayloadKey(body: string, open: number, close: number, escaped: boolean): boolean {
  if (escaped) return JSON.parse(body.slice(open, close + 1)) === 'payload'
  return close - open === 8 && body.startsWith('payload', open + 1)
}

/** How many `\uXXXX` from here make one character that PostgreSQL can hold: 1, 2 for a surrogate pair, or 0. */
function storableEscape(body: string, at: number): 0 | 1 | 2 {
  const unit = unitOf(body, at)
  if (unit === 0) return 0
  if (unit < 0xd800 || unit > 0xdfff) return 1
  if (unit > 0xdbff) return 0
  if (body.charCodeAt(at + 6) !== BACKSLASH || body.charCodeAt(at + 7) !== LOWER_U) return 0
  const low = unitOf(body, at + 6)
  return low >= 0xdc00 && low <= 0xdfff ? 2 : 0
}

function unitOf(body: string, at: number): number {
  return Number.parseInt(body.slice(at + 2, at + 6), 16)
}
