import { syncBuiltinESMExports } from 'node:module'
import process from 'node:process'
import { Writable } from 'node:stream'
import { changing, lockMember, lockReachable } from './lock-reachable.ts'

/** Ways out of the process, or to modules that imports are kept from. A definition that is pure misses none. */
const waysOut = [
  ...['fetch', 'WebSocket', 'EventSource', 'BroadcastChannel', 'MessageChannel'],
  // Whoever names one of these loads what fetch is made of, and finds it under a symbol of the global object.
  ...['Request', 'Response', 'Headers', 'FormData', 'MessageEvent', 'CloseEvent'],
]
const waysOutOfProcess = [
  ...['send', '_send', '_disconnect', '_channel', '_handleQueue', '_pendingMessage', '_getActiveHandles'],
  ...[
    '_getActiveRequests',
    'kill',
    '_kill',
    'execve',
    'binding',
    '_linkedBinding',
    'getBuiltinModule',
    'dlopen',
  ],
  ...[
    '_debugProcess',
    '_debugEnd',
    '_startProfilerIdleNotifier',
    'loadEnvFile',
    'report',
    'chdir',
    'openStdin',
  ],
  ...['setuid', 'setgid', 'seteuid', 'setegid', 'setgroups', 'initgroups'],
  ...['setUncaughtExceptionCaptureCallback'],
]
/**
 * Node freezes JavaScript's own objects, and neither the names by which all code finds them nor Node's. From here on no
 * name of the global object can be given to something else, and of Node's nothing that a definition reaches.
 */
export function lockGlobals(modules: readonly unknown[]): void {
  for (const name of waysOut) Reflect.deleteProperty(globalThis, name)
  lockProcess()
  // Plainly, because they are called for each event.
  for (const name of Reflect.ownKeys(Buffer.prototype)) lockMember(Buffer.prototype, name)
  lockReachable([globalThis, ...modules], [process])
  // `import { kill } from 'node:process'` gives what was there when this was last called.
  syncBuiltinESMExports()
}

function lockProcess(): void {
  for (const name of waysOutOfProcess) Reflect.deleteProperty(process, name)
  // The handle of the channel has a symbol for its name.
  for (const name of Object.getOwnPropertySymbols(process)) {
    if (name.description === 'kChannelHandle') Reflect.deleteProperty(process, name)
  }
  // Node's own are sockets, whose class opens others.
  for (const name of ['stdin', 'stdout', 'stderr']) {
    const value = new Writable({ write: (_chunk, _encoding, done) => done() })
    Object.defineProperty(process, name, { value, enumerable: true, writable: false, configurable: false })
  }
  for (const name of Reflect.ownKeys(process)) if (!changing.has(name)) lockMember(process, name)
}
