/**
 * Finds what JSON.stringify would make something else of, or leave out, without a word: NaN becomes null, a Map {}, and a
 * function or undefined is gone. Sekali keeps what it is sent for good, so that is refused while the caller is still there.
 *
 * It makes a copy, because code of the caller's own may run at each reading (a getter, a Proxy, a toJSON): a second
 * reading could give another value than the one that was checked.
 */
import { limits } from '@sekali/core/limits'

export class NotJson extends Error {
  /** From the event, for instance `payload.items.2`. */
  readonly path: string

  /** Names are the caller's own, and may be long; of what is nested in itself, the beginning shows where. */
  constructor(names: readonly string[], why: string, options?: ErrorOptions) {
    super(`must be JSON${why}`, options)
    const shown = names.slice(0, 16).map((name) => name.slice(0, 64))
    this.path = `${shown.join('.')}${names.length > shown.length ? '…' : ''}`
  }
}

/**
 * The value in plain objects and arrays. What a value says of itself by `toJSON`, as a Date does, counts as the value.
 * Throws NotJson, also for what the caller's code throws: that is its cause.
 */
export function jsonCopyOf(value: unknown): unknown {
  const names: string[] = []
  try {
    return copyOf(value, names)
  } catch (cause) {
    if (cause instanceof NotJson) throw cause
    throw new NotJson(names, ': to read it failed', { cause })
  }
}

/** The levels of a payload, and the event around it. */
const depthMax = limits.payloadDepthMax + 1

/** `names` is the way to the value. It stays as it is when something is thrown. */
function copyOf(value: unknown, names: string[]): unknown {
  if (value === null) return null
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (Number.isFinite(value)) return value
      throw not(names, String(value))
    case 'bigint':
      throw not(names, 'a bigint: to send one digit for digit, give the whole event as JSON text')
    case 'undefined':
      throw not(names, 'undefined: leave the field out, or send null')
    case 'object':
      return copyOfObject(value, names)
    default:
      throw not(names, `a ${typeof value}`)
  }
}

function copyOfObject(value: object, names: string[]): unknown {
  if (value instanceof Date && Number.isNaN(value.getTime())) throw not(names, 'an invalid Date')
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    const said: unknown = value.toJSON(names.at(-1) ?? '')
    return typeof said === 'object' && said !== null ? copyInside(said, names) : copyOf(said, names)
  }
  return copyInside(value, names)
}

function copyInside(value: object, names: string[]): unknown {
  if (names.length >= depthMax) {
    const levels = `${limits.payloadDepthMax} levels`
    throw new NotJson(names, ` of at most ${levels}: it is nested deeper, or in itself`)
  }
  const copyMember = (name: string) => {
    names.push(name)
    const copy = copyOf(value[name as keyof typeof value], names)
    names.pop()
    return copy
  }
  // Not map(), which passes over holes.
  if (Array.isArray(value)) return Array.from({ length: value.length }, (_, at) => copyMember(String(at)))
  const kind = kindOf(value)
  // A Uint8Array begins with a "you".
  if (kind !== 'Object')
    throw not(names, `${/^[AEIO]/.test(kind) ? 'an' : 'a'} ${kind}: make an object or array of it`)
  // Not by assignment: that of `__proto__` would set the prototype.
  return Object.fromEntries(Object.keys(value).map((name) => [name, copyMember(name)]))
}

/** `Object` for plain objects and those of your own classes, whose fields are sent; else what is built in: `Map`. */
function kindOf(value: object): string {
  if (Object.getPrototypeOf(value) === Object.prototype) return 'Object'
  return Object.prototype.toString.call(value).slice(8, -1)
}

const not = (names: readonly string[], what: string) => new NotJson(names, `, not ${what}`)
