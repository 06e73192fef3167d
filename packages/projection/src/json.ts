/** JSON in which no whole number is rounded: beyond 2^53 it is a `bigint`, on the way in and on the way out. */
import type { Json } from './define.ts'

export function parseJson(text: string): Json {
  // Numbers that need care have 16 digits or more; a reviver would make the parsing of all others several times slower.
  return JSON.parse(text, sixteenDigits.test(text) ? keepWholeNumbers : undefined)
}

const sixteenDigits = /\d{16}/

// `source` is the literal itself: https://tc39.es/proposal-json-parse-with-source
function keepWholeNumbers(_name: string, value: unknown, { source = '' }: { source?: string } = {}): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || !/^-?\d+$/.test(source)) return value
  return BigInt(source)
}

/** Throws a `TypeError` on what would not come back as it is: dates, maps, classes, functions and NaN. */
export function stringifyJson(value: unknown): string {
  const text = JSON.stringify(value, asJson)
  if (text === undefined) throw new TypeError('a state must be JSON, not undefined')
  return text
}

// `this` holds the member as it was before toJSON(), which would make text of a Date.
function asJson(this: Record<string, unknown>, name: string, value: unknown): unknown {
  const member = this[name]
  switch (typeof member) {
    case 'bigint':
      return rawJson(String(member))
    case 'number':
      if (Number.isFinite(member)) return value
      // What JSON.parse makes of 1e400, which a payload may have.
      if (!Number.isNaN(member)) return rawJson(member > 0 ? '1e999' : '-1e999')
      throw notJson(name, 'NaN')
    case 'object':
      if (isPlain(member)) return value
      throw notJson(name, `a ${member?.constructor?.name ?? 'special object'}`)
    case 'function':
    case 'symbol':
      throw notJson(name, `a ${typeof member}`)
    default:
      return value
  }
}

function isPlain(value: object | null): boolean {
  if (value === null || Array.isArray(value)) return true
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

const notJson = (name: string, what: string) =>
  new TypeError(
    `a state must be plain JSON, but ${name === '' ? 'it' : `its "${name.slice(0, 64)}"`} is ${what}`,
  )

// TypeScript's library does not know it yet.
const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown }
