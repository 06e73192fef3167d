/**
 * Keeps the channel to the projector from definitions. Node gives it to the whole process: `process.send` answers, and
 * `process.on('message')` reads. A definition that had one of them could answer in place of another.
 */
import process from 'node:process'
import type { Answer } from './fold-protocol.ts'

/** What Node's channel needs to receive anything: the messages that wait for a listener, under a symbol of Node's. */
const waiting = Object.getOwnPropertySymbols(process.channel ?? {}).find(
  ({ description }) => description === 'kPendingMessages',
)
const nothing = Object.freeze(waiting === undefined ? {} : { [waiting]: Object.freeze([]) })

/** Returns Node's own function to send; from here on nothing else can. */
export function takeSend(): (answer: Answer) => void {
  const { send, channel, _send } = process as NodeJS.Process & { _send: unknown }
  if (send === undefined) throw new Error('a process for definitions has a channel')
  channel?.ref() // else the process ends as soon as nobody listens in Node's own way
  // A message that cannot be written has no reader: the projector has gone.
  const self = { connected: true, channel: nothing, emit: () => false, _send }
  return (answer) => void Reflect.apply(send, self, [answer])
}

/**
 * From here on `listener` gets the messages, and no listener of a definition does. Node uses the names that are replaced:
 * `channel` and `listenerCount` before it emits a message, `disconnect` when the projector has gone.
 */
export function keepMessages(listener: (message: unknown) => void): void {
  const { emit, listenerCount, exit } = process
  replace('emit', (name: string | symbol, ...args: unknown[]) => {
    if (name === 'message') listener(args[0])
    else if (name !== 'internalMessage') return Reflect.apply(emit, process, [name, ...args])
    return true
  })
  replace('listenerCount', (name: string | symbol, ...args: unknown[]) =>
    name === 'message' ? 1 : Reflect.apply(listenerCount, process, [name, ...args]),
  )
  replace('channel', nothing)
  replace('disconnect', () => exit.call(process))
}

const replace = (name: string, value: unknown): unknown =>
  Object.defineProperty(process, name, { value, enumerable: true, writable: false, configurable: false })
