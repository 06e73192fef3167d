/**
 * Finds what JSON.stringify would make something else of, or leave out, without a word: NaN becomes null, a Map {}, and a
 * function or undefined is gone. Sekali keeps what it is sent for good, so that is refused while the caller is still there.
 */
import { limits } from '@sekali/core/limits'

export interface NotJson {
  /** From the event, for instance `payload.items.2`. */
  readonly path: string
  readonly message: string
}

/** Undefined if all of it is JSON. What a value says of itself by `toJSON`, as a Date does, counts as the value. */
export function findNotJson(value: unknown): NotJson | undefined {
  const found = find(value, '', 0)
  return found && { path: pathOf(found.path), message: `must be JSON${found.why}` }
}

/** Of what is nested in itself, the beginning shows where. */
const pathOf = (names: readonly string[]): string =>
  names.length <= 16 ? names.join('.') : `${names.slice(0, 16).join('.')}…`

interface Found {
  readonly path: string[]
  readonly why: string
}

/** The levels of a payload, and the event around it. */
const depthMax = limits.payloadDepthMax + 1

function find(given: unknown, name: string, depth: number): Found | undefined {
  if (given === null) return undefined
  switch (typeof given) {
    case 'string':
    case 'boolean':
      return undefined
    case 'number':
      return Number.isFinite(given) ? undefined : not(String(given))
    case 'bigint':
      return not('a bigint: to send one digit for digit, give the whole event as JSON text')
    case 'undefined':
      return not('undefined: leave the field out, or send null')
    case 'object':
      return findInObject(given, name, depth)
    default:
      return not(`a ${typeof given}`)
  }
}

function findInObject(given: object, name: string, depth: number): Found | undefined {
  if (given instanceof Date && Number.isNaN(given.getTime())) return not('an invalid Date')
  if ('toJSON' in given && typeof given.toJSON === 'function') {
    const value: unknown = given.toJSON(name)
    return typeof value === 'object' && value !== null ? findInside(value, depth) : find(value, name, depth)
  }
  return findInside(given, depth)
}

function findInside(value: object, depth: number): Found | undefined {
  if (depth >= depthMax) {
    return {
      path: [],
      why: ` of at most ${limits.payloadDepthMax} levels: it is nested deeper, or in itself`,
    }
  }
  if (Array.isArray(value)) {
    // Not forEach(), which passes over holes.
    for (let at = 0; at < value.length; at++) {
      const found = find(value[at], String(at), depth + 1)
      if (found) return within(String(at), found)
    }
    return undefined
  }
  const kind = kindOf(value)
  if (kind !== 'Object')
    return not(`${/^[AEIOU]/.test(kind) ? 'an' : 'a'} ${kind}: make an object or array of it`)
  for (const [name, member] of Object.entries(value)) {
    const found = find(member, name, depth + 1)
    if (found) return within(name, found)
  }
  return undefined
}

/** `Object` for plain objects and those of your own classes, whose fields are sent; else what is built in: `Map`. */
function kindOf(value: object): string {
  if (Object.getPrototypeOf(value) === Object.prototype) return 'Object'
  return Object.prototype.toString.call(value).slice(8, -1)
}

const not = (what: string): Found => ({ path: [], why: `, not ${what}` })
/** Names are the caller's own, and may be long. */
const within = (name: string, { path, why }: Found): Found => ({ path: [name.slice(0, 64), ...path], why })
