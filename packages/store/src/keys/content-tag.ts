/**
 * What a source says, in 16 bytes: two events of one id have the same content if their tags are equal. The timestamp is no
 * part of it. A keyed hash, because a tag outlives its event too, and payloads can be guessed.
 *
 * The last bit says what was hashed: the payload's bytes as they were sent, or its canonical JSON, as the topic says
 * (`same_content`). Tags of two kinds say nothing about each other. `content_tag` of migration 0017 is the same in SQL.
 */
import { hash } from 'node:crypto'
import { canonicalJson } from '@sekali/core/canonical-json'
import { hashing } from './hashing.ts'

export type TagKind = 'bytes' | 'json'

/** Writes the tag of what a source says: 16 bytes, from `at` on. Of kind `json` the payload must be in its canonical form. */
export type WriteTag = (kind: TagKind, source: string, payload: string, to: Buffer, at: number) => void

export function tagWriter(pepper: Buffer): WriteTag {
  const [ofBytes, ofJson] = [0, 1].map((bit) => hashing(Buffer.concat([pepper, Buffer.from([bit])])))
  return (kind, source, payload, to, at) => {
    const isJson = kind === 'json'
    const digest = (isJson ? ofJson : ofBytes)?.(source, payload) ?? ''
    for (let byte = 0; byte < 15; byte++) to[at + byte] = digest.charCodeAt(byte)
    to[at + 15] = (digest.charCodeAt(15) & 0xfe) | Number(isJson)
  }
}

/** The tag as 32 hexadecimal digits. */
export function contentTag(pepper: Buffer, kind: TagKind, source: string, payload: string): string {
  const bytes = Buffer.allocUnsafe(16)
  tagWriter(pepper)(kind, source, payload, bytes, 0)
  return bytes.toString('hex')
}

/**
 * Writes the tag of what a topic compares. A payload that has no canonical form has a tag of its bytes all the same: no
 * reader of JSON takes it, or it goes deeper than the door lets in, so somebody else has appended it.
 */
export function tagWriterBy(pepper: Buffer, wanted: TagKind) {
  const write = tagWriter(pepper)
  return (source: string, payload: string, to: Buffer, at: number): void => {
    const form = wanted === 'json' ? canonicalJson(payload) : undefined
    if (form === undefined) write('bytes', source, payload, to, at)
    else write('json', source, form, to, at)
  }
}

/** The same as 32 hexadecimal digits. */
export function contentTagBy(pepper: Buffer, wanted: TagKind, source: string, payload: string): string {
  const bytes = Buffer.allocUnsafe(16)
  tagWriterBy(pepper, wanted)(source, payload, bytes, 0)
  return bytes.toString('hex')
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
