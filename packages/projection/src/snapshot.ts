/**
 * A copy of a state as it will be when it is read from its JSON again. Taken after each event, not only at the end of
 * a batch, so that what a fold comes to does not depend on where the batches were cut: JSON has no `undefined` and no
 * -0, shares no object between two places, and has no small `bigint`. What apply() still holds of
 * the state, or of an event, is not in the copy and can change nothing.
 */
import type { Json } from './define.ts'
import { letGo } from './let-go.ts'
import { limits } from './limits.ts'

export interface Snapshot {
  readonly state: Json
  /** No more UTF-8 bytes of JSON than this; often far fewer. */
  readonly bytesAtMost: number
}

/** Throws on what has no JSON (dates, maps, classes, functions, NaN), and on what is too large or too deep. */
export function snapshot(value: unknown): Snapshot {
  let bytesAtMost = 0
  let values = 0

  function copy(value: unknown, name: string, depth: number): Json {
    // Each takes a byte at least. One object in many places can be much more than it was in memory.
    if (++values > limits.stateBytesMax) throw new RangeError('the state has too many values: use keys')
    switch (typeof value) {
      case 'string':
        bytesAtMost += textBytesAtMost(value)
        return value
      case 'number':
        bytesAtMost += 26
        if (Number.isNaN(value)) throw notJson(name, 'NaN')
        return value === 0 ? 0 : value // -0 is written as 0
      case 'bigint':
        bytesAtMost += String(value).length + 1
        return Number.isSafeInteger(Number(value)) ? Number(value) : value
      case 'boolean':
        bytesAtMost += 6
        return value
      case 'undefined': // in an array
        bytesAtMost += 5
        return null
      case 'object':
        bytesAtMost += 5
        if (value === null) return null
        if (depth >= limits.stateDepthMax) {
          throw new RangeError(`the state is nested deeper than ${limits.stateDepthMax}`)
        }
        return Array.isArray(value) ? copyArray(value, depth) : copyObject(value, name, depth)
      default:
        throw notJson(name, `a ${typeof value}`)
    }
  }

  function copyArray(array: readonly unknown[], depth: number): Json[] {
    const items: Json[] = []
    // Not map(), which passes over holes. JSON has null there.
    for (let at = 0; at < array.length; at++) items.push(copy(array[at], String(at), depth + 1))
    return items
  }

  function copyObject(object: object, name: string, depth: number): Json {
    const prototype = Object.getPrototypeOf(object)
    if (prototype !== null && prototype !== Object.prototype) {
      letGo(object)
      throw notJson(name, `a ${object.constructor?.name ?? 'special object'}`)
    }
    const members: { [name: string]: Json } = {}
    for (const [member, value] of Object.entries(object)) {
      if (value === undefined) continue
      bytesAtMost += textBytesAtMost(member)
      const copied = copy(value, member, depth + 1)
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

  if (value === undefined) throw new TypeError('a state must be JSON, not undefined')
  return { state: copy(value, '', 0), bytesAtMost }
}

/** A character is six bytes at most, as \u0000; quotation marks and a comma or colon come to it. */
const textBytesAtMost = (text: string) => 6 * text.length + 3

const notJson = (name: string, what: string) =>
  new TypeError(
    `a state must be plain JSON, but ${name === '' ? 'it' : `its "${name.slice(0, 64)}"`} is ${what}`,
  )
