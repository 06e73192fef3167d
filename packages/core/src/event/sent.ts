import { limits } from '../limits.ts'
import type { Listener } from '../text/scan.ts'
import { type FieldName, fieldNames } from './event.ts'
import { isKey, type PayloadText } from './payload.ts'

/** What was sent as an event: the JSON texts of its members. */
export type Sent = Record<Exclude<FieldName, 'payload'>, string | undefined> & {
  isObject: boolean
  payload: (PayloadText & { readonly text: string }) | undefined
  /** Keys that are not ours, with their quotes: the first few. */
  unknown: string[]
}

/** One object for all events, which is `onSent`'s only while it is called: a batch of nothing costs no memory. */
export function listen(onSent: (sent: Sent) => void): Listener {
  const sent = { isObject: false, unknown: [] } as unknown as Sent
  for (const name of fieldNames) sent[name] = undefined
  return {
    onBegin(isObject: boolean) {
      sent.isObject = isObject
      for (const name of fieldNames) sent[name] = undefined
      if (sent.unknown.length > 0) sent.unknown = []
    },
    onMember(key: string, text: string, depth: number, isUnstorable: boolean) {
      const name = nameOf(key)
      if (name === 'payload') sent.payload = { text, depth, isUnstorable }
      else if (name !== undefined) sent[name] = text
      else if (sent.unknown.length < unknownNamedMax && !sent.unknown.includes(key)) sent.unknown.push(key)
    },
    onEnd: () => onSent(sent),
  }
}

function nameOf(key: string): FieldName | undefined {
  for (const name of fieldNames) if (isKey(key, name)) return name
  return undefined
}

/** Names of unknown fields that are kept. */
const unknownNamedMax = 8

/** No field but the payload is longer, even if every character of it is written as an escape. */
const shortCharsMax = 6 * Math.max(limits.topicCharsMax, limits.eventIdCharsMax, limits.sourceCharsMax) + 2

export const isShortString = (json: string | undefined): json is string =>
  json !== undefined && json.length <= shortCharsMax && json.startsWith('"')

/** Counts only if the number of characters leaves it open. */
export function fitsInBytes(text: string, bytesMax: number): boolean {
  if (text.length * 3 <= bytesMax) return true
  return text.length <= bytesMax && new TextEncoder().encode(text).length <= bytesMax
}
