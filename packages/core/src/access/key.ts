/**
 * A key's text: `sekali_<id>_<secret>_<checksum>`, such as `sekali_4nJ2bWq8ZxT0_…_1kQ9bZ`. Underscores, so that a double
 * click selects all of it. The id is public: logs, answers and the audit log name a key by it. The checksum finds a typo
 * without asking anybody. Pure: whoever makes a key brings the random bytes, and both sides bring CRC-32.
 */

/** 62^12 ids: nobody meets one by chance. */
const idChars = 12
/** log2(62^32) is 190.5 bits: no hash need be slow on purpose for a secret that nobody can guess. */
const secretChars = 32
/** 62^6 is more than 2^32. */
const checksumChars = 6

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

export const keyIdRule = `must be ${idChars} of A-Z a-z 0-9`
export const isKeyId = (text: string): boolean => new RegExp(`^[0-9A-Za-z]{${idChars}}$`).test(text)

const keyText = new RegExp(
  `^(sekali_([0-9A-Za-z]{${idChars}})_[0-9A-Za-z]{${secretChars}})_([0-9A-Za-z]{${checksumChars}})$`,
)

/** So few of a secret's characters give nothing away, and a name may have as many after such an id by chance. */
const shownMax = 7
const held = new RegExp(`sekali[_-]([0-9A-Za-z]{${idChars}})[_-][0-9A-Za-z]{${shownMax + 1},}[\\w-]*`, 'g')

/** Whether a text has one of a key in it, whole or not. */
export const holdsKey = (text: string): boolean => text.search(held) !== -1

/** A text without what of keys in it is secret: their ids stay. */
export const withoutKeys = (text: string): string => text.replace(held, 'sekali_$1_…')

/** CRC-32 of a text's bytes, as `zlib` has it. */
export type Crc32 = (text: string) => number

/** Makes a key. `randomBytes` gives that many bytes, each of which nobody can guess. */
export function makeKeyText(
  randomBytes: (count: number) => Uint8Array,
  crc32: Crc32,
): { readonly id: string; readonly text: string } {
  const id = base62(idChars, randomBytes)
  const body = `sekali_${id}_${base62(secretChars, randomBytes)}`
  return { id, text: `${body}_${checksumOf(body, crc32)}` }
}

/** The id of a key; `undefined` if the text is none, or has a typo. Whether there is such a key is another question. */
export function parseKeyText(text: string, crc32: Crc32): string | undefined {
  const [, body = '', id, checksum] = keyText.exec(text) ?? []
  return id !== undefined && checksum === checksumOf(body, crc32) ? id : undefined
}

/** Bytes from here on are drawn again: 256 is no multiple of 62, and the first digits would come more often. */
const fairBelow = 256 - (256 % digits.length)

function base62(chars: number, randomBytes: (count: number) => Uint8Array): string {
  let text = ''
  while (text.length < chars) {
    const fair = randomBytes(chars - text.length).filter((byte) => byte < fairBelow)
    for (const byte of fair) text += digits[byte % digits.length]
  }
  return text
}

function checksumOf(body: string, crc32: Crc32): string {
  let rest = crc32(body)
  let text = ''
  for (let place = 0; place < checksumChars; place++) {
    text = digits[rest % digits.length] + text
    rest = Math.floor(rest / digits.length)
  }
  return text
}
