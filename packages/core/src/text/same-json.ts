/**
 * Whether two JSON texts mean the same: whatever their white space, escapes and order of keys, and with numbers compared as
 * they are written, to the last digit: `1.50` is `1.5`, and 9007199254740993 is not 9007199254740992. False for what is no
 * JSON. It takes a runtime whose JSON.parse gives the source of a number (Node 21 and later).
 */
export function isSameJson(one: string, other: string): boolean {
  try {
    return canonical(one) === canonical(other)
  } catch {
    return false
  }
}

/** One text for all that mean the same. */
const canonical = (text: string): string => JSON.stringify(JSON.parse(text, ordered))

// An object becomes a list of its members, so that no key is special. What else it could be taken for is wrapped as well.
const ordered = (_name: string, value: unknown, { source = '' }: { source?: string } = {}): unknown => {
  if (typeof value === 'number') return { number: numberText(source) }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return { members }
}

/** Digits without zeros at either end, and the power of ten by which they are multiplied. */
function numberText(source: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  const kept = digits.replace(/0+$/, '')
  if (kept === '') return '0'
  return `${sign}${kept}e${BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - kept.length)}`
}
