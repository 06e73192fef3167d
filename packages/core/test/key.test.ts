import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { holdsKey, isKeyId, makeKeyText, parseKeyText, withoutKeys } from '../src/access/key.ts'

const make = () => makeKeyText(randomBytes, crc32)
const parse = (text: string) => parseKeyText(text, crc32)

test('a key has its id, 190 bits of secret and a checksum', () => {
  const { id, text } = make()
  expect(text).toMatch(/^sekali_[0-9A-Za-z]{12}_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/)
  expect(32 * Math.log2(62)).toBeGreaterThan(190)
  expect(parse(text)).toBe(id)
  expect(isKeyId(id)).toBe(true)
  expect(text).toContain(`_${id}_`)
})

test('the checksum is CRC-32 in six digits, zeros in front', () => {
  const { text } = makeKeyText(
    (count) => new Uint8Array(count),
    () => 61,
  )
  expect(text).toBe(`sekali_${'0'.repeat(12)}_${'0'.repeat(32)}_00000z`)
  expect(
    makeKeyText(
      (count) => new Uint8Array(count),
      () => 2 ** 32 - 1,
    ).text.slice(-6),
  ).toBe('4gfFC3')
})

test('a typo in any place is found', () => {
  const { text } = make()
  for (const [at, char] of [...text].entries()) {
    const other = char === 'x' ? 'y' : 'x'
    expect(parse(text.slice(0, at) + other + text.slice(at + 1))).toBeUndefined()
    expect(parse(text.slice(0, at) + text.slice(at + 1))).toBeUndefined()
  }
})

test.each(['', 'sekali', ' ', '\0', 'Bearer', 'sekali_', 'sekali_____', 'é'.repeat(59), 'a'.repeat(100_000)])(
  'what is no key is none: %.20j',
  (text) => {
    expect(parse(text)).toBeUndefined()
  },
)

test('a key with anything around it is none', () => {
  const { text } = make()
  for (const other of [` ${text}`, `${text}\n`, `${text}_`, `x${text}`, text.toUpperCase()]) {
    expect(parse(other)).toBeUndefined()
  }
})

test('every digit is as likely as any other', () => {
  // Each byte once: those that would favour the first digits are drawn again.
  let next = 0
  const counts = new Map<string, number>()
  for (let key = 0; key < 62; key++) {
    const { text } = makeKeyText((count) => Uint8Array.from({ length: count }, () => next++ % 256), crc32)
    for (const digit of text.slice(7, 19) + text.slice(20, 52)) {
      counts.set(digit, (counts.get(digit) ?? 0) + 1)
    }
  }
  // 62 keys of 44 digits, drawn from 248 fair bytes in turns.
  expect(counts.size).toBe(62)
  expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(4)
})

test('ids are checked before anybody asks for them', () => {
  expect([isKeyId('a'.repeat(12)), isKeyId('a'.repeat(11)), isKeyId(`${'a'.repeat(11)}_`)]).toEqual([
    true,
    false,
    false,
  ])
  expect(isKeyId(`${'a'.repeat(12)}\n`)).toBe(false)
})

test('the text of a key is found in another, whole or cut, and only its id is left', () => {
  const id = 'a'.repeat(12)
  const text = `sekali_${id}_${'b'.repeat(32)}_cccccc`
  for (const given of [text, text.slice(0, -10), `${text}x`, text.replaceAll('_', '-')]) {
    expect(holdsKey(`x/${given} y`)).toBe(true)
    expect(withoutKeys(`x/${given} y ${given}`)).toBe(`x/sekali_${id}_… y sekali_${id}_…`)
  }
  for (const given of ['', id, `sekali_${id}`, 'sekali_shop_orders', `sekali-${id}-eu`]) {
    expect(holdsKey(given)).toBe(false)
    expect(withoutKeys(given)).toBe(given)
  }
})
