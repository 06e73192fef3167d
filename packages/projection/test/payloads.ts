import { limits } from '@sekali/core/limits'

/** Numbers from 0 to 1, the same ones for the same seed: what fails can be run again. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Texts of JSON that are short when they are sent and awkward when they are read. */
const awkward = [
  ...['null', 'true', 'false', '0', '-0', '0.1', '-1.005', '90000000000000', '-90000000000000'],
  ...[
    '9007199254740991',
    '9007199254740993',
    '1e15',
    '1e20',
    '-1e20',
    '1e21',
    '1e-7',
    '1e308',
    '1e999',
    '-1e999',
  ],
  ...[100, 256, 257, 600].map((digits) => '7'.repeat(digits)),
  ...[
    '""',
    '" "',
    '"c"',
    '"eve"',
    '"\\u0001"',
    '"\\u2028"',
    '"\\ud83d\\ude00"',
    '"constructor"',
    '"__proto__"',
  ],
  ...[99, 101, 256, 257, 600].map((chars) => JSON.stringify('é'.repeat(chars))),
  ...[50, 100, 128, 300].map((pairs) => JSON.stringify('😀'.repeat(pairs))),
]

const names = ['customer', 'total', 'user', 'ok', 'key']
/** Methods that JavaScript calls by itself where it turns an object into a string or a number. */
const special = [
  'toString',
  'valueOf',
  'toJSON',
  'then',
  'constructor',
  '__proto__',
  'length',
  'hasOwnProperty',
]

/** The JSON text of a payload by chance, as the gateway would take it. */
export function somePayload(random: () => number): string {
  const one = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)] as T
  const value = (depth: number): string => {
    const kind = random()
    if (depth > 4 || kind < 0.6) return one(awkward)
    const parts = Array.from({ length: Math.floor(random() * 4) }, () => value(depth + 1))
    if (kind < 0.75) return `[${parts.join()}]`
    return `{${parts.map((part) => `${JSON.stringify(one([...special, ...names]))}:${part}`).join()}}`
  }
  const member = (name: string) => `${JSON.stringify(name)}:${value(0)}`
  return `{${[...names, one(special)]
    .filter(() => random() < 0.8)
    .map(member)
    .join()}}`
}

/** Payloads as large as may be, of each awkward number or text again and again. */
export const largestPayloads: readonly string[] = [...awkward, '{}', '[]', '9e15', '1e-6'].map((text) => {
  const count = Math.floor((limits.payloadBytesMax - '{"a":[]}'.length) / (Buffer.byteLength(text) + 1))
  return `{"a":[${Array(count).fill(text).join()}]}`
})
