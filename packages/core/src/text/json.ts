/** JSON in which no whole number is rounded: beyond 2^53 it is a `bigint`, on the way in and on the way out. */

import { parseMarked, stringifyMarked } from './json-marks.ts'

/** Any JSON value. A whole number that a double cannot hold is a `bigint`. */
export type Json = string | number | bigint | boolean | null | Json[] | { [name: string]: Json }

export function parseJson(text: string): Json {
  if (!hasSource) return parseMarked(text) as Json
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
export const stringifyJson = (value: Json, indent?: number): string =>
  rawJson === undefined ? stringifyMarked(value, asText, indent) : JSON.stringify(value, asJson, indent)

/**
 * The same, but a double beyond 2^53 is written with an exponent, so that it is read as a double again and not as a
 * `bigint`: a sum goes on being one, and `1e20` stays short.
 */
export const stringifyAsRead = (value: Json): string =>
  rawJson === undefined ? stringifyMarked(value, asTextRead) : JSON.stringify(value, asRead)

const asJson = (_name: string, value: unknown): unknown => raw(asText(value), value)
const asRead = (_name: string, value: unknown): unknown => raw(asTextRead(value), value)
const raw = (text: string | undefined, value: unknown) => (text === undefined ? value : rawJson?.(text))

/** The text of a number that JSON.stringify would refuse, or write as another value. */
function asText(value: unknown): string | undefined {
  if (typeof value === 'bigint') return String(value)
  // What JSON.parse makes of 1e400, which a payload may have.
  if (value === Infinity) return '1e999'
  return value === -Infinity ? '-1e999' : undefined
}

function asTextRead(value: unknown): string | undefined {
  const isLong = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
  return isLong ? value.toExponential() : asText(value)
}

// TypeScript's library does not know them yet, and Node 20 does not have them.
const { rawJSON: rawJson } = JSON as unknown as { rawJSON?: (text: string) => unknown }
const hasSource = JSON.parse('1', (_name, _value, { source }: { source?: string } = {}) => source) === '1'
