/** JSON in which no whole number is rounded: beyond 2^53 it is a `bigint`, on the way in and on the way out. */

/** Any JSON value. A whole number that a double cannot hold is a `bigint`. */
export type Json = string | number | bigint | boolean | null | Json[] | { [name: string]: Json }

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

/** On one line, or with `indent` spaces for each level. */
export const stringifyJson = (value: Json, indent?: number): string => JSON.stringify(value, asJson, indent)

/**
 * The same, but a double beyond 2^53 is written with an exponent, so that it is read as a double again and not as a
 * `bigint`: a sum goes on being one, and `1e20` stays short.
 */
export const stringifyAsRead = (value: Json): string => JSON.stringify(value, asRead)

function asRead(name: string, value: unknown): unknown {
  const isLong = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
  return isLong ? rawJson(value.toExponential()) : asJson(name, value)
}

function asJson(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return rawJson(String(value))
  // What JSON.parse makes of 1e400, which a payload may have.
  if (value === Infinity) return rawJson('1e999')
  return value === -Infinity ? rawJson('-1e999') : value
}

// TypeScript's library does not know it yet.
const { rawJSON: rawJson } = JSON as unknown as { rawJSON(text: string): unknown }
