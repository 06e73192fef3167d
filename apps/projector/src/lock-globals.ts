import { EventEmitter } from 'node:events'
import process from 'node:process'

/** Ways out of the process, or to modules that imports are kept from. A definition that is pure misses none. */
const waysOut = ['fetch', 'WebSocket', 'EventSource', 'BroadcastChannel', 'MessageChannel']
const waysOutOfProcess = [
  'send',
  'disconnect',
  'kill',
  'binding',
  'getBuiltinModule',
  'dlopen',
  '_linkedBinding',
  '_debugProcess',
]

/**
 * Node freezes JavaScript's own objects, and neither the names by which all code finds them nor Node's. From here on no
 * name of the global object can be given to something else, and what we call of Node's is what it was.
 */
export function lockGlobals(): void {
  for (const name of waysOut) Reflect.deleteProperty(globalThis, name)
  for (const name of waysOutOfProcess) Reflect.deleteProperty(process, name)
  lock(Buffer)
  lock(Buffer.prototype)
  lockMember(EventEmitter.prototype, 'emit')
  lock(globalThis)
}

function lock(object: object): void {
  for (const name of Reflect.ownKeys(object)) lockMember(object, name)
}

function lockMember(object: object, name: string | symbol): void {
  const member = Reflect.getOwnPropertyDescriptor(object, name)
  if (member?.configurable !== true) return
  const isFixed = 'value' in member ? { writable: false } : {}
  Object.defineProperty(object, name, { ...member, ...isFixed, configurable: false })
}
