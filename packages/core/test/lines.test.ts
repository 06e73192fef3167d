/** What comes in as bytes: the same rule for the gateway and the command line. */
import { expect, test } from 'vitest'
import { limits } from '../src/limits.ts'
import { createLineSplitter, isBlank } from '../src/text/lines.ts'
import { decodeUtf8, utf8Rule } from '../src/text/utf8.ts'

const bytesOf = (...parts: readonly (string | number)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part))))

/** The lines of bytes that come in chunks of `size`: their texts, or what is wrong with them. */
function linesOf(bytes: Uint8Array, size: number): string[] {
  const splitter = createLineSplitter()
  const lines = []
  for (let at = 0; at < bytes.length; at += size) lines.push(...splitter.split(bytes.subarray(at, at + size)))
  if (splitter.begun() !== undefined) lines.push(splitter.take())
  return lines.map(({ text, issue }) => text ?? `! ${issue?.message}`)
}

const notUtf8 = '! must be UTF-8: it has bytes that are not'
const marked = '! begins with a byte order mark, which only the first line may'
const utf16 = '! must be UTF-8: its first two bytes say that it is UTF-16'

test.each([1, 2, 3, 7, 1_000])('lines are the same in chunks of %i bytes', (size) => {
  expect(linesOf(bytesOf('{"a":"é😀"}\n\n{}\r\n \t\r\n{}'), size)).toEqual([
    '{"a":"é😀"}',
    '',
    '{}\r',
    ' \t\r',
    '{}',
  ])
  expect(linesOf(bytesOf('\uFEFF{}\n\uFEFF{}\n'), size)).toEqual(['{}', marked])
  expect(linesOf(bytesOf('{}\n\uFEFF\n\uFEFF'), size)).toEqual(['{}', marked, marked])
  expect(linesOf(bytesOf('{}\n{"a":"\uFEFF"}'), size)).toEqual(['{}', '{"a":"\uFEFF"}'])
  expect(linesOf(bytesOf('\uFEFF\n{}'), size)).toEqual(['', '{}'])
  expect(linesOf(bytesOf('{"a":"', 0xff, '"}\n{}\n', 0xc3, '\n', 0xed, 0xa0, 0x80), size)).toEqual([
    notUtf8,
    '{}',
    notUtf8,
    notUtf8,
  ])
  expect(linesOf(bytesOf(0xff, 0xfe, '{', 0, '}', 0), size)).toEqual([utf16])
})

test('a line that is too long is reported as that, whatever else it is', () => {
  const long = Buffer.alloc(limits.bodyBytesMax + 1, 0xff)
  const tooLong = `! must be at most ${limits.bodyBytesMax} bytes`
  expect(linesOf(Buffer.concat([long, bytesOf('\n{}')]), 65_536)).toEqual([tooLong, '{}'])
  expect(linesOf(long.subarray(1), 65_536)).toEqual([notUtf8])
})

test('only the white space of JSON makes a line blank', () => {
  expect(['', ' ', '\r', '\t \r'].every(isBlank)).toBe(true)
  expect(['\u00a0', '\u2028', '\uFEFF', '\f', '\v', '0'].some(isBlank)).toBe(false)
})

test('what is not UTF-8 is never replaced [P8]', () => {
  expect(decodeUtf8(bytesOf('a', 0xff))).toBeUndefined()
  expect(decodeUtf8(bytesOf('a\uFFFD'))).toBe('a\uFFFD')
  expect(utf8Rule(bytesOf(0xfe, 0xff))).toContain('UTF-16')
})
