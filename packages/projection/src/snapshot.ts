/**
 * A copy of a state as it will be when it is read from its JSON again: JSON has no `undefined` and no -0, shares no object
 * between two places, and has no small `bigint`. The copy is taken after each event, so that the result of a fold does not
 * depend on where the batches were cut. An object that apply() keeps is not in the copy, so it can change nothing.
 */
import type { Json } from './define.ts'
import { letGo } from './let-go.ts'
import { limits } from './limits.ts'

export interface Snapshot {
  readonly state: Json
  /** No more UTF-8 bytes of JSON than this; often far fewer. */
  readonly bytesAtMost: number
}

/** What a copy has come to so far. */
interface Size {
  bytesAtMost: number
  values: number
}

/** Throws on what has no JSON (dates, maps, classes, functions, NaN), and on what is too large or too deep. */
export function snapshot(value: unknown): Snapshot {
  if (value === undefined) throw new TypeError('a state must be JSON, not undefined')
  const size = { bytesAtMost: 0, values: 0 }
  const state = copy(value, '', 0, size)
  return { state, bytesAtMost: size.bytesAtMost }
}

function copy(value: unknown, name: string, depth: number, size: Size): Json {
  // Each value takes a byte at least. One object in many places can be much more JSON than it was in memory.
  if (++size.values > limits.stateBytesMax) throw new RangeError('the state has too many values: use keys')
  switch (typeof value) {
    case 'string':
      size.bytesAtMost += textBytesAtMost(value)
      return value
    case 'number':
      size.bytesAtMost += 26
      if (Number.isNaN(value)) throw notJson(name, 'NaN')
      return value === 0 ? 0 : value // -0 is written as 0
    case 'bigint':
      size.bytesAtMost += String(value).length + 1
      return Number.isSafeInteger(Number(value)) ? Number(value) : value
    case 'boolean':
      size.bytesAtMost += 6
      return value
    case 'undefined': // in an array
      size.bytesAtMost += 5
      return null
    case 'object':
      size.bytesAtMost += 5
      if (value === null) return null
      if (depth >= limits.stateDepthMax) {
        throw new RangeError(`the state is nested deeper than ${limits.stateDepthMax}`)
      }
      return Array.isArray(value) ? copyArray(value, depth, size) : copyObject(value, name, depth, size)
    default:
      throw notJson(name, `a ${typeof value}`)
  }
}

function copyArray(array: readonly unknown[], depth: number, size: Size): Json[] {
  const items: Json[] = []
  // Not map(), which passes over holes. JSON has null there.
  for (let at = 0; at < array.length; at++) items.push(copy(array[at], String(at), depth + 1, size))
  return items
}

function copyObject(object: object, name: string, depth: number, size: Size): Json {
  const prototype = Object.getPrototypeOf(object)
  if (prototype !== null && prototype !== Object.prototype) {
    letGo(object)
    throw notJson(name, `a ${object.constructor?.name ?? 'special object'}`)
  }
  const members: { [name: string]: Json } = {}
  for (const [member, value] of Object.entries(object)) {
    if (value === undefined) continue
    size.bytesAtMost += textBytesAtMost(member)
    const copied = copy(value, member, depth + 1, size)
    // An assignment would set the copy's prototype instead.
    if (member === '__proto__') {
      Object.defineProperty(members, member, {
        value: copied,
        configurable: true,
        enumerable: true,
        writable: true,
      })
    } else members[member] = copied
  }
  return members
}

/** A character is six bytes at most, as \u0000. Quotation marks and a comma or colon add three. */
const textBytesAtMost = (text: string) => 6 * text.length + 3

const notJson = (name: string, what: string) =>
  new TypeError(
    `a state must be plain JSON, but ${name === '' ? 'it' : `its "${name.slice(0, 64)}"`} is ${what}`,
  )
