import { scan, toEnd } from '../text/scan.ts'

/** The text of an event's payload, as it was sent. */
export interface PayloadText {
  /** Undefined if the last member called `payload` is neither an object nor an array. */
  readonly text: string | undefined
  /** Levels of objects and arrays, the payload itself counted. */
  readonly depth: number
  /** Whether a key or a string in it has an escape of NUL or of half a surrogate pair. */
  readonly isUnstorable: boolean
}

/** The payload of JSON text that is one event. If the key comes more than once the last one counts, as for JSON.parse. */
export function findPayload(body: string): PayloadText {
  return findPayloads(body, 0)[0] ?? none
}

const none: PayloadText = { text: undefined, depth: 0, isUnstorable: false }

/**
 * The payloads of all events of JSON text: of the one that it is (`outer` 0), or of those in the array that it is
 * (`outer` 1), where an element that is no object has none.
 */
export function findPayloads(body: string, outer: 0 | 1): PayloadText[] {
  const found: PayloadText[] = []
  let payload = none
  const listener = {
    onBegin: () => {
      payload = none
    },
    onMember: (key: string, text: string, depth: number, isUnstorable: boolean) => {
      if (isKey(key, 'payload')) payload = /^[{[]/.test(text) ? { text, depth, isUnstorable } : none
    },
    onEnd: () => void found.push(payload),
  }
  toEnd(scan(body, outer, listener))
  return found
}

/** Whether a key, with its quotes, is this name; it may be written with escapes, six characters each. */
export function isKey(key: string, name: string): boolean {
  if (key.length === name.length + 2) return key.startsWith(name, 1)
  return key.length <= 6 * name.length + 2 && key.includes('\\') && JSON.parse(key) === name
}
