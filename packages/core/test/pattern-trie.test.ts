import { expect, test } from 'vitest'
import { matches, parsePattern } from '../src/log/pattern.ts'
import { createPatternTrie } from '../src/log/pattern-trie.ts'

/** All texts of so many segments at most, each one of these. */
function texts(segments: readonly string[], lengthMax: number): string[] {
  if (lengthMax === 0) return []
  const shorter = texts(segments, lengthMax - 1)
  return [...segments, ...segments.flatMap((first) => shorter.map((rest) => `${first}.${rest}`))]
}

const topics = [...new Set(texts(['a', 'b', 'ab'], 4))]
const patterns = [...new Set(texts(['a', 'b', '*'], 3))].flatMap((text) => [text, `${text}.>`]).concat('>')

test('a trie finds the very patterns that match', () => {
  const trie = createPatternTrie<string>()
  for (const pattern of patterns) trie.add(pattern, pattern)
  expect(trie.size).toBe(patterns.length)
  for (const topic of topics) {
    const expected = patterns.filter((pattern) => matches(parsePattern(pattern), topic))
    expect(trie.matching(topic).sort()).toEqual(expected.sort())
  }
})

test('of a pattern several values are kept, and what is removed is found no more', () => {
  const trie = createPatternTrie<number>()
  trie.add('a.*', 1)
  trie.add('a.*', 2)
  trie.add('a.*', 2)
  trie.add('a.>', 3)
  expect(trie.size).toBe(3)
  trie.remove('a.*', 1)
  trie.remove('a.b', 2)
  trie.remove('a.*.c', 2)
  expect(trie.matching('a.b')).toEqual([3, 2])
  trie.remove('a.>', 3)
  trie.remove('a.>', 3)
  expect([trie.size, trie.matching('a.b')]).toEqual([1, [2]])
})
