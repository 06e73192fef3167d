/** A key's text and what is kept of it. */
import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { makeKeyText, parseKeyText } from '@sekali/core/key'

export const makeKey = (): { readonly id: string; readonly text: string } => makeKeyText(randomBytes, crc32)

/** The id in a key's text; `undefined` if it is none, or has a typo. */
export const keyIdIn = (text: string): string | undefined => parseKeyText(text, crc32)

/** SHA-256 of the whole text: 32 bytes. A slow hash is for what can be guessed, and 190 bits cannot. */
export const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest()
