/** JSON values with all that can be said of them, and every way to write one. */
import fc, { type Arbitrary } from 'fast-check'

export type Value =
  | { readonly kind: 'word'; readonly word: 'true' | 'false' | 'null' }
  /** Digits without zeros at either end, times ten to the power; no digits are zero. */
  | { readonly kind: 'number'; readonly sign: '' | '-'; readonly digits: string; readonly power: bigint }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly Value[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, Value])[] }

const text = fc.string({ unit: 'binary', maxLength: 6 }) // of whole code points, those beyond U+FFFF among them
const digits = fc
  .bigInt({ min: 0n, max: 10n ** 40n })
  .map((number) => (number === 0n ? '' : String(number).replace(/0+$/, '')))
const number = fc
  .record({ isNegative: fc.boolean(), digits, power: fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }) })
  .map(
    ({ isNegative, digits, power }): Value =>
      digits === ''
        ? { kind: 'number', sign: '', digits, power: 0n }
        : { kind: 'number', sign: isNegative ? '-' : '', digits, power },
  )
const small = fc.integer({ min: -20, max: 20 }).map((power) => BigInt(power))
const nearby = fc
  .record({ digits: fc.constantFrom('1', '15', '9007199254740993', '9007199254740992'), power: small })
  .map(({ digits, power }): Value => ({ kind: 'number', sign: '', digits, power }))

const leaf: Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(
    ...(['true', 'false', 'null'] as const).map((word): Value => ({ kind: 'word', word })),
  ),
  number,
  nearby,
  text.map((text): Value => ({ kind: 'string', text })),
)

const key = fc.oneof(text, fc.constantFrom('a', '__proto__', 'constructor', '1', '10', '\uffff', '\u{10000}'))

export const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }).map((items): Value => ({ kind: 'array', items })),
    fc
      .uniqueArray(fc.tuple(key, tie('value')), { maxLength: 4, selector: ([name]) => name })
      .map((members): Value => ({ kind: 'object', members })),
  ),
}))

/** One of the ways to write it. */
export function write(value: Value, random: () => number): string {
  const below = (count: number) => Math.floor(random() * count)
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T
  const space = () => Array.from({ length: below(3) }, () => pick([' ', '\t', '\n', '\r'])).join('')
  const list = (parts: readonly string[], [open, close]: readonly [string, string]) =>
    `${open}${parts.length === 0 ? space() : ''}${parts.map((part) => space() + part + space()).join(',')}${close}`
  const shuffled = <T>(items: readonly T[]) =>
    items
      .map((item) => [random(), item] as const)
      .sort(([a], [b]) => a - b)
      .map(([, item]) => item)

  function string(text: string): string {
    const escaped = Array.from({ length: text.length }, (_, at) => unit(text.charCodeAt(at))).join('')
    return `"${escaped}"`
  }
  function unit(code: number): string {
    const hex = code.toString(16).padStart(4, '0')
    const short = { 8: '\\b', 9: '\\t', 10: '\\n', 12: '\\f', 13: '\\r', 34: '\\"', 47: '\\/', 92: '\\\\' }[
      code
    ]
    const isPlain = code >= 0x20 && code !== 0x22 && code !== 0x5c
    return pick([
      `\\u${random() < 0.5 ? hex : hex.toUpperCase()}`,
      ...(short === undefined ? [] : [short]),
      ...(isPlain ? Array<string>(3).fill(String.fromCharCode(code)) : []),
    ])
  }
  function numberText(sign: string, digits: string, power: bigint): string {
    const padded = digits + '0'.repeat(below(4))
    const fraction = below(padded.length + 3)
    const all = padded.padStart(fraction + 1, '0')
    const whole = all.slice(0, all.length - fraction)
    const exponent = power + BigInt(fraction) - BigInt(padded.length - digits.length)
    const isBare = exponent === 0n && random() < 0.8
    const plus = exponent >= 0n && random() < 0.3 ? '+' : ''
    const zeros = '0'.repeat(below(3))
    const written = `${exponent < 0n ? '-' : plus}${zeros}${String(exponent).replace('-', '')}`
    const point = fraction > 0 ? `.${all.slice(all.length - fraction)}` : ''
    return `${sign}${whole}${point}${isBare ? '' : `${pick(['e', 'E'])}${written}`}`
  }
  function any(value: Value): string {
    switch (value.kind) {
      case 'word':
        return value.word
      case 'number':
        return value.digits === ''
          ? pick(['0', '-0', '0.0', '-0.00e7', '0E+99999999999999999999'])
          : numberText(value.sign, value.digits, value.power)
      case 'string':
        return string(value.text)
      case 'array':
        return list(value.items.map(any), ['[', ']'])
      case 'object': {
        const members = shuffled(value.members).map(([name, member]) => ({ name, text: any(member) }))
        // The last one of a key counts, so there may be others before all of them.
        const earlier = members.filter(() => random() < 0.2).map(({ name }) => ({ name, text: '"earlier"' }))
        const texts = [...earlier, ...members].map(
          ({ name, text }) => `${string(name)}${space()}:${space()}${text}`,
        )
        return list(texts, ['{', '}'])
      }
    }
  }
  return space() + any(value) + space()
}

/** Another value: the same but for one thing in it. */
export function changed(value: Value, random: () => number): Value {
  const at = <T>(items: readonly T[]) => Math.floor(random() * items.length)
  switch (value.kind) {
    case 'word':
      return { kind: 'word', word: value.word === 'true' ? 'false' : 'true' }
    case 'number':
      if (value.digits === '') return { ...value, digits: '1' }
      if (random() < 0.3) return { ...value, sign: value.sign === '' ? '-' : '' }
      if (random() < 0.5) return { ...value, power: value.power + (random() < 0.5 ? 1n : -1n) }
      return { ...value, digits: `${value.digits}1` }
    case 'string':
      return { kind: 'string', text: random() < 0.5 ? `${value.text} ` : ` ${value.text}` }
    case 'array': {
      if (value.items.length === 0 || random() < 0.2) {
        return { kind: 'array', items: [...value.items, { kind: 'word', word: 'null' }] }
      }
      const index = at(value.items)
      return { kind: 'array', items: value.items.with(index, changed(value.items[index] as Value, random)) }
    }
    case 'object': {
      const index = at(value.members)
      const [name, member] = value.members[index] ?? ['', undefined]
      if (member === undefined) return { kind: 'object', members: [['a', { kind: 'word', word: 'null' }]] }
      if (random() < 0.2) return { kind: 'object', members: value.members.toSpliced(index, 1) }
      return { kind: 'object', members: value.members.with(index, [name, changed(member, random)]) }
    }
  }
}
