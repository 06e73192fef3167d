import { expect, test } from 'vitest'
import { visible } from '../src/text/visible.ts'

test('what the eye cannot see is spelled out, and the rest is as it was', () => {
  expect(visible('exe.\u202etxt')).toBe('exe.\\u202etxt')
  expect(visible('a\u200bb\0c\u001b[31m')).toBe('a\\u200bb\\u0000c\\u001b[31m')
  expect(visible('a\nb\tc é 日本 😀')).toBe('a\nb\tc é 日本 😀')
})
