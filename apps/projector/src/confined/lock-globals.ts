import { syncBuiltinESMExports } from 'node:module'
import process from 'node:process'
import { Writable } from 'node:stream'
import { changing, lockMember, lockReachable } from './lock-reachable.ts'

/** Ways out of the process, or to modules that may not be imported. A pure definition needs none of them. */
const waysOut = [
  ...['fetch', 'WebSocket', 'EventSource', 'BroadcastChannel', 'MessageChannel'],
  // The first use of one of these loads what fetch is made of, under a symbol of the global object.
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
 * Node freezes JavaScript's own objects, but not the global names of these objects, and not Node's own objects. From here on
 * no global name can be given another value, and no object of Node's that a definition reaches can be changed.
 */
export function lockGlobals(modules: readonly unknown[]): void {
  for (const name of waysOut) Reflect.deleteProperty(globalThis, name)
  lockProcess()
  // As plain members, not accessors: they are called for each event.
  for (const name of Reflect.ownKeys(Buffer.prototype)) lockMember(Buffer.prototype, name)
  lockReachable([globalThis, ...modules], [process])
  // `import { kill } from 'node:process'` gives the value at the time of the last such call.
  syncBuiltinESMExports()
}

function lockProcess(): void {
  for (const name of waysOutOfProcess) Reflect.deleteProperty(process, name)
  // The channel's handle lies under a symbol.
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
