/** Seeded, so that a failing case can be run again: mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const numbers = [
  '0',
  '-0',
  '1',
  '-12.50',
  '0.10',
  '1e400',
  '1E-7',
  '9007199254740993',
  '-1.0e+2',
  '12345678901234567890',
]
const pieces = [
  'a',
  'Z',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  ' ',
  '\u2028',
  'é',
  '漢',
  '😀',
  '\\"',
  '\\\\',
  '\\/',
  '\\n',
]
const escapes = [
  '\\u0041',
  '\\u0022',
  '\\u005c',
  '\\u007b',
  '\\ud83d\\ude00',
  '\\uD83D\\uDE00',
  '\\u2028',
  '\\u0001',
]
const keys = ['"payload"', '"topic"', '"a"', '"p\\u0061yload"', '""', '"__proto__"']

/** JSON text with everything in it that confuses a scanner: escapes, brackets in strings, repeated keys, white space. */
export function randomJson(random: () => number, depth: number): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const some = (count: number, make: () => string, between: string) =>
    Array.from({ length: Math.floor(random() * count) }, make).join(between)
  const space = () => some(3, () => pick([' ', '\n', '\t', '\r']), '')
  const string = () => `"${some(6, () => pick(random() < 0.7 ? pieces : escapes), '')}"`
  const key = () => (random() < 0.5 ? pick(keys) : string())

  const object = (levels: number): string =>
    `{${space()}${some(5, () => `${key()}${space()}:${space()}${value(levels - 1)}`, `${space()},`)}${space()}}`
  const value = (levels: number): string => {
    if (levels > 0 && random() < 0.3) return object(levels)
    if (levels > 0 && random() < 0.3)
      return `[${some(5, () => space() + value(levels - 1), `${space()},`)}${space()}]`
    return random() < 0.5 ? string() : pick([...numbers, 'true', 'false', 'null'])
  }
  return object(depth)
}

/** The text with one thing done to it that a typing error, a cut or a careless client would do. */
export function damaged(text: string, random: () => number): string {
  const at = Math.floor(random() * text.length)
  const insert = [
    ',',
    ':',
    '"',
    '{',
    '}',
    '[',
    ']',
    '\\',
    '\\u00',
    '\t',
    '\u00a0',
    '0',
    '-',
    '.',
    'e',
    'x',
    '\0',
  ][Math.floor(random() * 17)] as string
  switch (Math.floor(random() * 4)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return text.slice(0, at) + text.slice(at + 1)
    case 2:
      return text.slice(0, at) + insert + text.slice(at)
    default:
      return text.slice(0, at) + insert + text.slice(at + 1)
  }
}
