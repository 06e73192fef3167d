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
import { hash } from 'node:crypto'

/** Gives the keys of a topic's event ids: 32 hexadecimal digits, which PostgreSQL takes for a `uuid`. */
export type KeyOf = (eventId: string) => string

const bytesMax = 1_024

export function keysOf(pepper: Buffer, topicId: number): KeyOf {
  const seedBytes = pepper.length + 4
  const scratch = Buffer.allocUnsafe(seedBytes + bytesMax)
  scratch.writeInt32BE(topicId, pepper.copy(scratch))
  const digest = (text: string): string => {
    // Three bytes at the most for each of UTF-16's units. A longer id is nobody's that passed the gateway.
    if (text.length * 3 > bytesMax) {
      return hash('sha256', Buffer.concat([scratch.subarray(0, seedBytes), Buffer.from(text)]))
    }
    return hash('sha256', scratch.subarray(0, seedBytes + scratch.write(text, seedBytes)))
  }
  // Of consecutive numbers a thousand have the same prefix.
  let prefix: string | undefined
  let prefixDigest = ''
  const prefixDigestOf = (text: string): string => {
    if (text !== prefix) {
      prefix = text
      prefixDigest = digest(`${text}\0`) // no id has a NUL, so no id has this digest
    }
    return prefixDigest
  }
  return (eventId) => {
    const ofId = digest(eventId)
    return `${placeOf(eventId, ofId, prefixDigestOf)}8${ofId.slice(13, 16)}${variantOf(ofId)}${ofId.slice(17, 32)}`
  }
}

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** Twelve hexadecimal digits. */
function placeOf(eventId: string, digest: string, prefixDigestOf: (prefix: string) => string): string {
  if (eventId.length === 36 && uuidV7.test(eventId)) return eventId.slice(0, 8) + eventId.slice(9, 13)
  const number = lastDigits(eventId)
  if (number === undefined) return digest.slice(0, 12)
  const ofPrefix = prefixDigestOf(eventId.slice(0, -3))
  const twoBits = Number.parseInt(ofPrefix.charAt(9), 16) >> 2
  return ofPrefix.slice(0, 9) + ((twoBits << 10) | number).toString(16).padStart(3, '0')
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

/** The digit of the variant: 10, and two bits of the digest. */
const variantOf = (digest: string): string => variants.charAt(Number.parseInt(digest.charAt(16), 16) & 3)

const variants = '89ab'
