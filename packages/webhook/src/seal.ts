/**
 * What is secret lies sealed in the database: AES-256-GCM with a nonce of its own. What it is of is authenticated as well, so
 * that whoever can write the database cannot have one subscription sign with another's secret.
 *
 *     1 | nonce, 12 bytes | tag, 16 bytes | ciphertext
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'
import { SekaliError } from '@sekali/core/errors'
import type { SealKey } from './key.ts'

const version = 1
const nonceBytes = 12
const tagBytes = 16
const headBytes = 1 + nonceBytes + tagBytes

/** It was sealed with another key, for something else, or somebody has changed it. */
export class SealedElsewhere extends SekaliError {
  readonly code = 'sealed_elsewhere'
  readonly retryable = false
}

export const secretContext = (name: string): string => `secret/${name}`
export const headersContext = (name: string): string => `headers/${name}`

/** Seals a text. `context` says what it is of: only who names the same can read it. */
export function seal(key: SealKey, text: string, context: string): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(context))
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([Buffer.of(version), nonce, cipher.getAuthTag(), sealed])
}

/** The text. Throws {@link SealedElsewhere}, which has none of it. */
export function unseal(key: SealKey, sealed: Buffer, context: string): string {
  try {
    if (sealed[0] !== version) throw new Error('another version')
    const cipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + nonceBytes), {
      authTagLength: tagBytes,
    })
    cipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(1 + nonceBytes, headBytes))
    return cipher.update(sealed.subarray(headBytes), undefined, 'utf8') + cipher.final('utf8')
  } catch {
    // The cause says nothing but that the tag differs.
    throw new SealedElsewhere('sealed with another WEBHOOK_KEY')
  }
}

/** Tells whether two texts are the same without keeping either. */
export const tagOf = (key: SealKey, text: string): Buffer =>
  createHmac('sha256', key).update('tag\0').update(text).digest()
