/** What a definition can change for the other definitions: nothing. */
import { expect, test } from 'vitest'
import { attempts, limitsFile } from './attempts.ts'
import { counting, numbered, ownStack } from './stack.ts'

/** What CommonJS gives to each file. */
const ofLoader = `const Module = (await import('./loader.cjs')).default.Module`

test.concurrent('a definition that changes what all are made of changes nothing for the others', async () => {
  await using stack = await ownStack()
  await stack.put('loader.cjs', `'use strict'; exports.Module = module.constructor`)
  await stack.define(
    'a.ts',
    attempts('vandal', {
      array: `Array.prototype.push = () => 0; return 1`,
      iterator: `Array.prototype[Symbol.iterator] = function* () {}; return 1`,
      object: `Object.prototype.seq = 7; return 1`,
      entries: `Object.entries = () => []; return 1`,
      define: `Object.defineProperty(Map.prototype, 'set', { value: () => 0 }); return 1`,
      json: `JSON.parse = () => ({ n: 0 }); return 1`,
      name: `globalThis.JSON = { parse: () => ({}) }; return 1`,
      map: `globalThis.Map = class {}; return 1`,
      buffer: `Buffer.byteLength = () => 0; return 1`,
      emit: `(await import('node:events')).EventEmitter.prototype.emit = () => false; return 1`,
      decode: `TextDecoder.prototype.decode = () => ''; return 1`,
      url: `URL.parse = () => null; return 1`,
      accessor: `Object.defineProperty(URL.prototype, 'href', { value: '' }); return 1`,
      events: `EventTarget.prototype.dispatchEvent = () => false; return 1`,
      own: `URLSearchParams.prototype.mine = 1; return 1`,
      util: `(await import('node:util')).default.inspect = () => ''; return 1`,
      path: `(await import('node:path')).default.join = () => ''; return 1`,
      digest: `(await import('node:crypto')).Hash.prototype.digest = () => ''; return 1`,
      loader: `${ofLoader}; Module._load = () => ({}); return 1`,
      resolver: `${ofLoader}; Module._resolveFilename = () => ''; return 1`,
      extensions: `${ofLoader}; Module._extensions['.js'] = () => {}; return 1`,
      require: `${ofLoader}; Module.prototype.require = () => ({}); return 1`,
      hooks: `${ofLoader}; Module.registerHooks({}); return 1`,
      limits: `(await import('${limitsFile}')).limits.stateBytesMax = 0; return 1`,
    }),
  )
  await stack.define('top.ts', `Array.prototype.map = () => []\n${counting('top', '(n) => n + 1')}`)
  // What is its own it may change, and name as it likes.
  const own = `(state, { seq }) => {
    class Mine extends Error { constructor() { super('m'); this.name = 'Mine' } }
    state['constructor'] = seq
    state['toString'] = new Mine().name
    return state
  }`
  await stack.define('own.ts', counting('own', own).replace('initial: 0', 'initial: {}'))
  await stack.define('sum.ts', counting('sum', '(n, { payload }) => n + payload.n'))
  await stack.append(numbered('orders.eu', 200))
  await using projector = stack.projector('p')
  for (const name of ['sum', 'own', 'vandal']) await stack.level(name)
  expect(Object.values((await stack.states('vandal'))[''] as object), projector.output()).toEqual(
    Array(24).fill('refused'),
  )
  expect(await stack.states('sum')).toEqual({ '': 20_100 })
  expect((await stack.states('own'))['']).toEqual({ constructor: 200, toString: 'Mine' })
  expect(projector.output()).toMatch(/top\.ts cannot be used: TypeError: [^"]*read only/)
})

/** Answers whatever is asked, with the id of the request if it gets to see one, and asks itself. */
const forging = `
const forge = (message) => {
  const { id } = message ?? {}
  for (const name of ['send', '_send']) {
    try { process[name]({ id, result: { states: new Map([['', '666']]), count: 3 } }) } catch {}
  }
}
process.on('message', forge)
process.prependListener('message', forge)
const { nextTick } = process
try { process.nextTick = (work, ...more) => (more.forEach(forge), nextTick(work, ...more)) } catch {}
setInterval(() => {
  forge()
  const request = { do: 'fold', before: new Map() }
  for (const asked of [request, { id: '', key: '', request }, undefined]) process.emit('message', asked, undefined)
}, 1)`

/** The ways to what can be changed, from the global object and from the modules that definitions may import. */
const walk = `
const open = []
const seen = new Set([process])
const look = (object, way) => {
  if ((typeof object !== 'function' && (typeof object !== 'object' || object === null)) || seen.has(object)) return
  seen.add(object)
  if (ArrayBuffer.isView(object)) return
  for (const name of Reflect.ownKeys(object)) {
    const { value, get, set, writable, configurable } = Reflect.getOwnPropertyDescriptor(object, name)
    const here = way + '.' + String(name)
    const isKept = name === '_events' || name === '_eventsCount' || name === '_maxListeners' ||
      (typeof name === 'symbol' && typeof value !== 'function' && get === undefined)
    if ((writable || configurable) && !isKept) open.push(here)
    look(value, here)
    look(get, here + '.get')
    look(set, here + '.set')
  }
  look(Reflect.getPrototypeOf(object), way + '.__proto__')
}
const { default: util } = await import('node:util')
const { default: events } = await import('node:events')
const { default: crypto } = await import('node:crypto')
const { default: assert } = await import('node:assert')
for (const [name, root] of Object.entries({ globalThis, util, events, crypto, assert })) look(root, name)
const hash = crypto.createHash('sha256').update('x').digest('hex').slice(0, 4)
const more = [hash, new TextDecoder().decode(new TextEncoder().encode('ä')), new URL('http://h/p?q=1').searchParams.get('q')]
more.push(structuredClone(new Map([[1, 2]])).get(1), util.format('%d', 3))
console.log('x')
console.error(new Error('x'))
class Mine extends events.EventEmitter { on() { return this } }
const mine = new Mine()
mine.emit = () => 'mine'
more.push(mine.emit('x'))
export const walk = defineProjection({ name: 'walk', topics: 'orders.>', initial: {}, apply: () => ({ open, more }) })`

test.concurrent('nothing that a definition reaches can be changed, and all of it works', async () => {
  await using stack = await ownStack()
  await stack.define('walk.ts', walk)
  await stack.append(numbered('orders.eu', 1))
  await using projector = stack.projector('p')
  await stack.level('walk').catch((cause: unknown) => {
    throw new Error(projector.output(), { cause })
  })
  expect((await stack.states('walk'))['']).toEqual({
    open: [],
    more: ['2d71', 'ä', '1', 2, '3', 'mine'],
  })
})

test.concurrent('a definition cannot answer in another one’s place', async () => {
  await using stack = await ownStack()
  await stack.define('forger.ts', `${forging}\n${counting('forger', '(n) => (forge(), n + 1)')}`)
  await stack.define('sum.ts', counting('sum', '(n, { payload }) => n + payload.n'))
  await stack.append(numbered('orders.eu', 200))
  await using projector = stack.projector('p')
  for (let next = 201; next <= 1_001; next += 100) {
    for (const name of ['sum', 'forger']) await stack.level(name)
    await stack.append(numbered('orders.eu', 100, next))
  }
  for (const name of ['sum', 'forger']) await stack.level(name)
  expect(await stack.states('sum'), projector.output()).toEqual({ '': 605_550 })
  expect(await stack.states('forger')).toEqual({ '': 1_100 })
})
