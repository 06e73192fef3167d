import { crc32 } from 'node:zlib'
import { makeKeyText } from '@sekali/core/key'

/** Where the secret of a key begins, and how long it is. */
const secretAt = 'sekali_0123456789ab_'.length
const secretChars = 32

/** The same key with another character at a place of its secret, from the end if that is negative; its checksum is right. */
export function retyped(text: string, place: number): string {
  const at = secretAt + (place < 0 ? secretChars + place : place)
  const other = text[at] === 'x' ? 'y' : 'x'
  return withChecksum(`${text.slice(0, at)}${other}${text.slice(at + 1, secretAt + secretChars)}`)
}

/** The same secret under an id that nobody has. */
export const renamed = (text: string, id: string): string =>
  withChecksum(`sekali_${id}_${text.slice(secretAt, secretAt + secretChars)}`)

/** Six base62 digits of CRC-32, as core/access/key.ts writes them. */
function withChecksum(body: string): string {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  let rest = crc32(body)
  let sum = ''
  for (let place = 0; place < 6; place++) {
    sum = digits[rest % 62] + sum
    rest = Math.floor(rest / 62)
  }
  return `${body}_${sum}`
}

/** A key that nobody has. */
export const madeUp = (): string =>
  makeKeyText((count) => crypto.getRandomValues(new Uint8Array(count)), crc32).text
