/**
 * The key of an event's id in its topic: 16 bytes in the place of up to 255 characters. A keyed hash, because event ids may
 * be personal data and keys outlive events; RFC 9562 calls the form a UUID of version 8.
 *
 *     48 bits   place: where in the index the key lies
 *      4 bits   1000, and later 10: the version and the variant
 *     74 bits   of SHA-256(pepper, topic id, event id)
 *
 * A hash alone would scatter ids that come in order all over the index, and after a checkpoint each would write a page of
 * its own to the WAL. So the place keeps what order there is, and tells little of the id:
 * - a UUID of version 7 has its 48 bits of time there;
 * - an id that ends in three digits has 38 bits of the hash of what comes before them, and the digits;
 * - any other has 48 bits of its hash.
 *
 * `event_key` of migration 0017 is the same in SQL. Two ids with one key are told apart by the ids themselves, everywhere.
 */
import { type Hashed, hashing } from './hashing.ts'

/** Gives the keys of a topic's event ids: 32 hexadecimal digits, which PostgreSQL takes for a `uuid`. */
export type KeyOf = (eventId: string) => string

/** Writes the key of an event's id: 16 bytes, from `at` on. */
export type WriteKey = (eventId: string, to: Buffer, at: number) => void

export function keysOf(pepper: Buffer, topicId: number): KeyOf {
  const write = keyWriter(pepper, topicId)
  const bytes = Buffer.allocUnsafe(16)
  return (eventId) => {
    write(eventId, bytes, 0)
    return bytes.toString('hex')
  }
}

/** Bytes, and not text that is put together: that was most of what a key cost. */
export function keyWriter(pepper: Buffer, topicId: number): WriteKey {
  const seed = Buffer.allocUnsafe(pepper.length + 4)
  seed.writeInt32BE(topicId, pepper.copy(seed))
  const hashed = hashing(seed)
  // Of consecutive numbers a thousand have the same prefix.
  let prefix: string | undefined
  let ofPrefix: Hashed = ''
  return (eventId, to, at) => {
    const ofId = hashed(eventId)
    for (let byte = 0; byte < 16; byte++) to[at + byte] = ofId.charCodeAt(byte)
    to[at + 6] = (ofId.charCodeAt(6) & 0x0f) | 0x80
    to[at + 8] = (ofId.charCodeAt(8) & 0x3f) | 0x80
    if (eventId.length === 36 && uuidV7.test(eventId)) return writeTime(eventId, to, at)
    const number = lastDigits(eventId)
    if (number === undefined) return
    const before = eventId.slice(0, -3)
    if (before !== prefix) {
      prefix = before
      ofPrefix = hashed(`${before}\0`) // no id has a NUL, so no id has this digest
    }
    writeNumber(ofPrefix, number, to, at)
  }
}

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** The 48 bits of time of a UUID of version 7. */
function writeTime(eventId: string, to: Buffer, at: number): void {
  for (let byte = 0; byte < 6; byte++) {
    const digit = byte < 4 ? byte * 2 : byte * 2 + 1 // behind the hyphen
    to[at + byte] = (hexDigit(eventId, digit) << 4) | hexDigit(eventId, digit + 1)
  }
}

/** Of a digit from 0 to 9 or a to f. */
function hexDigit(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code < 0x61 ? code - 0x30 : code - 0x61 + 10
}

/** 38 bits of the prefix's hash, and a number up to 999. */
function writeNumber(ofPrefix: Hashed, number: number, to: Buffer, at: number): void {
  for (let byte = 0; byte < 4; byte++) to[at + byte] = ofPrefix.charCodeAt(byte)
  const fifth = ofPrefix.charCodeAt(4)
  to[at + 4] = (fifth & 0xfc) | (number >> 8)
  to[at + 5] = number & 0xff
}

/** The number that the last three characters are; undefined if one of them is no digit. */
function lastDigits(eventId: string): number | undefined {
  const { length } = eventId
  if (length < 3) return undefined
  let number = 0
  for (let at = length - 3; at < length; at++) {
    const digit = eventId.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return undefined
    number = number * 10 + digit
  }
  return number
}
