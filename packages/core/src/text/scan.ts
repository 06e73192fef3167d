/**
 * Reads JSON text that is an event, or an array of events, once from its beginning to its end: whether it is JSON at
 * all, as JSON.parse has it, and of each event the texts of its members. Payloads are never built. A body of millions
 * of tiny values costs its length and no memory, and a payload stays as it was sent: JSON.parse followed by
 * JSON.stringify would turn 9007199254740993 into 9007199254740992, 1e400 into null and 0.10 into 0.1.
 *
 * It has no recursion, and pauses now and then for whoever has other work to do meanwhile. The body has to be
 * well-formed UTF-16. test/parse.test.ts holds it against JSON.parse.
 */
import {
  COLON,
  COMMA,
  closerOf,
  endOfScalar,
  endOfSpace,
  endOfString,
  isUnstorable,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './json-text.ts'

/** Is called with events in the order in which they come. */
export interface Listener {
  onBegin(isObject: boolean): void
  /**
   * A member of an event that is an object. The same key may come again.
   *
   * `key` and `value` are JSON text; `depth` counts the levels of objects and arrays that the value has, itself
   * included; `isUnstorable` says whether a key or a string in it has an escape of NUL or of half a surrogate pair.
   */
  onMember(key: string, value: string, depth: number, isUnstorable: boolean): void
  onEnd(): void
}

/** Characters between two pauses: a fraction of a millisecond. */
const pauseChars = 32 * 1024

/**
 * Whether the body is JSON. `outer` is 0 when it is to be one event, and 1 when it is an array of them. Whoever does
 * not want to pause goes through it with `toEnd`.
 */
export function* scan(body: string, outer: 0 | 1, listener: Listener): Generator<undefined, boolean> {
  const kinds = createKinds()
  const inner = outer + 1
  let level = 0
  let inObject = false
  let isKeyDue = false
  // Of the member that is being read.
  let keyFrom = 0
  let keyTo = 0
  let valueFrom = 0
  let deepest = 0
  let unstorable = false

  let pauseAt = pauseChars
  let at = endOfSpace(body, 0)
  for (;;) {
    if (at >= pauseAt) {
      pauseAt = at + pauseChars
      yield
    }
    if (isKeyDue) {
      const end = body.charCodeAt(at) === QUOTE ? endOfString(body, at) : 0
      const colon = endOfSpace(body, Math.abs(end))
      if (end === 0 || body.charCodeAt(colon) !== COLON) return false
      const from = at
      at = endOfSpace(body, colon + 1)
      isKeyDue = false
      if (level === inner) {
        keyFrom = from
        keyTo = Math.abs(end)
        valueFrom = at
        deepest = level
        unstorable = false
      } else if (end < 0) unstorable ||= isUnstorable(body, from, -end)
    }

    const first = body.charCodeAt(at)
    if (level === outer) listener.onBegin(first === OPEN_BRACE)
    if (first === OPEN_BRACE || first === OPEN_BRACKET) {
      if (level === deepest) deepest++
      at = endOfSpace(body, at + 1)
      if (body.charCodeAt(at) !== closerOf(first)) {
        inObject = first === OPEN_BRACE
        isKeyDue = inObject
        kinds.set(level, inObject)
        level++
        continue
      }
      at++
    } else if (first === QUOTE) {
      const end = endOfString(body, at)
      if (end < 0) unstorable ||= isUnstorable(body, at, -end)
      at = end < 0 ? -end : end
    } else at = endOfScalar(body, at)
    if (at === 0) return false

    // A value has ended, and with it perhaps what it is in.
    for (;;) {
      if (level === inner && inObject) {
        listener.onMember(body.slice(keyFrom, keyTo), body.slice(valueFrom, at), deepest - inner, unstorable)
      } else if (level === outer) listener.onEnd()
      at = endOfSpace(body, at)
      if (level === 0) return at === body.length
      const next = body.charCodeAt(at)
      if (next === COMMA) break
      if (next !== closerOf(inObject ? OPEN_BRACE : OPEN_BRACKET)) return false
      at++
      level--
      inObject = level > 0 && kinds.at(level - 1)
    }
    at = endOfSpace(body, at + 1)
    isKeyDue = inObject
  }
}

/** What a generator returns, without a pause. */
export function toEnd<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** Whether what is open is an object or an array, a bit for each level: a body may open eight million. */
function createKinds() {
  const words: number[] = []
  return {
    set(level: number, isObject: boolean): void {
      const bit = 1 << (level & 15)
      const word = words[level >> 4] ?? 0
      words[level >> 4] = isObject ? word | bit : word & ~bit
    },
    at: (level: number): boolean => ((words[level >> 4] ?? 0) & (1 << (level & 15))) !== 0,
  }
}
