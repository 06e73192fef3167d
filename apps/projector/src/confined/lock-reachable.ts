/**
 * Makes all objects unchangeable that can be reached from some roots, so that no definition can change `TextDecoder`, for
 * instance, for the others. Node freezes only JavaScript's own objects (`--frozen-intrinsics`).
 */

/** Members that Node itself changes now and then. */
export const changing: ReadonlySet<string | symbol> = new Set([
  '_events',
  '_eventsCount',
  '_maxListeners',
  'domain',
])

/** Leaves `except` as they are, and the objects that can be reached only through them. */
export function lockReachable(roots: readonly unknown[], except: readonly unknown[]): void {
  const seen = new Set<unknown>(except)
  const left = [...roots]
  while (left.length > 0) {
    const object = left.pop()
    if (!isObject(object) || seen.has(object)) continue
    seen.add(object)
    left.push(Reflect.getPrototypeOf(object))
    for (const name of Reflect.ownKeys(object)) {
      const { value, get, set } = Reflect.getOwnPropertyDescriptor(object, name) ?? {}
      left.push(value, get, set)
    }
    lock(object)
  }
}

function lock(object: object): void {
  if (ArrayBuffer.isView(object) || Object.isFrozen(object)) return
  const isPrototype = Object.hasOwn(object, 'constructor')
  for (const name of Reflect.ownKeys(object)) {
    if (isPrototype && name !== 'constructor') lockInherited(object, name)
    else lockMember(object, name)
  }
  if (isPrototype || typeof object === 'function') Object.preventExtensions(object)
}

export function lockMember(object: object, name: string | symbol): void {
  const member = Reflect.getOwnPropertyDescriptor(object, name)
  if (member === undefined || isOfNodesOwn(name, member)) return
  if (!member.configurable && !member.writable) return
  const isFixed = 'value' in member ? { writable: false } : {}
  Object.defineProperty(object, name, { ...member, ...isFixed, configurable: false })
}

/**
 * An assignment cannot give an object a member of its own when it inherits one that cannot be written; streams and many
 * classes need such assignments. So the inherited member becomes an accessor whose setter defines the member on the heir,
 * as Node does it for JavaScript's objects.
 */
function lockInherited(object: object, name: string | symbol): void {
  const member = Reflect.getOwnPropertyDescriptor(object, name)
  if (typeof member?.value !== 'function' || !member.configurable) {
    lockMember(object, name)
    return
  }
  const { value, enumerable = false } = member
  const get = () => value
  function set(this: object, own: unknown) {
    if (this === object) throw new TypeError(`${String(name)} is read only`)
    Object.defineProperty(this, name, { value: own, enumerable: true, writable: true, configurable: true })
  }
  for (const part of [get, set, set.prototype]) Object.freeze(part)
  Object.defineProperty(object, name, { get, set, enumerable, configurable: false })
}

/** Node keeps its own counters under symbols and some names. */
const isOfNodesOwn = (name: string | symbol, member: PropertyDescriptor): boolean =>
  changing.has(name) || (typeof name === 'symbol' && 'value' in member && typeof member.value !== 'function')

const isObject = (value: unknown): value is object =>
  typeof value === 'function' || (typeof value === 'object' && value !== null)
