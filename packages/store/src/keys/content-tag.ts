/**
 * What a source says, in 16 bytes: two events of one id have the same content if their tags are equal. The timestamp is no
 * part of it. A keyed hash, because a tag outlives its event too, and payloads can be guessed.
 *
 * The last bit says what was hashed: the payload's bytes as they were sent, or its canonical JSON, as the topic says
 * (`same_content`). Tags of two kinds say nothing about each other. `content_tag` of migration 0017 is the same in SQL.
 */
import { hash } from 'node:crypto'
import { canonicalJson } from '@sekali/core/canonical-json'

export type TagKind = 'bytes' | 'json'

const scratchBytes = 64 * 1024
// One for all: nothing waits between its writing and its hashing.
const scratch = Buffer.allocUnsafeSlow(scratchBytes)

/** The tag as 32 hexadecimal digits. Of kind `json` the payload must be in its canonical form. */
export function contentTag(pepper: Buffer, kind: TagKind, source: string, payload: string): string {
  const bit = kind === 'json' ? 1 : 0
  const text = `${source}\0${payload}`
  const digest = hash('sha256', bytesOf(pepper, bit, text))
  const last = (Number.parseInt(digest.charAt(31), 16) & 14) | bit
  return digest.slice(0, 31) + last.toString(16)
}

function bytesOf(pepper: Buffer, bit: number, text: string): Buffer {
  const start = pepper.length + 1
  const isSmall = start + text.length * 3 <= scratchBytes // three bytes at the most for each of UTF-16's units
  const bytes = isSmall ? scratch : Buffer.allocUnsafe(start + Buffer.byteLength(text))
  bytes[pepper.copy(bytes)] = bit
  return bytes.subarray(0, start + bytes.write(text, start))
}

/**
 * The tag of what a topic compares. A payload that has no canonical form has a tag of its bytes all the same: no reader of
 * JSON takes it, or it goes deeper than the door lets in, so somebody else has appended it.
 */
export function contentTagBy(pepper: Buffer, wanted: TagKind, source: string, payload: string): string {
  const form = wanted === 'json' ? canonicalJson(payload) : undefined
  return form === undefined
    ? contentTag(pepper, 'bytes', source, payload)
    : contentTag(pepper, 'json', source, form)
}

/** Of what JSON text means, for who has no pepper; undefined for what has no canonical form. */
export function digestOfJson(text: string): string | undefined {
  const form = canonicalJson(text)
  return form === undefined ? undefined : hash('sha256', form)
}

/** What was hashed for a tag. */
export const kindOf = (tag: string): TagKind =>
  (Number.parseInt(tag.charAt(31), 16) & 1) === 1 ? 'json' : 'bytes'

/** Whether two tags are of one content; undefined if they are of two kinds. */
export const compareTags = (a: string, b: string): boolean | undefined =>
  a === b || (kindOf(a) === kindOf(b) ? false : undefined)
