import type { Broker } from '../redis/connect.ts'

/** Calls `onMessage` with whatever is said on a channel, on a connection of its own that heals by itself. */
export function subscribe(
  broker: Broker,
  channel: string,
  onMessage: (message: string) => void,
): AsyncDisposable {
  // We subscribe ourselves whenever a connection is ready: when ioredis does and fails, the rejection is nobody's, and
  // ends the process.
  const listener = broker.redis.duplicate({ enableOfflineQueue: false, autoResubscribe: false })
  listener.on('error', () => undefined) // the command connection reports that redis is unreachable
  listener.on('message', (_channel, message) => onMessage(message))
  listener.on('ready', () => {
    listener.subscribe(channel).catch(() => listener.disconnect(true))
  })
  return {
    [Symbol.asyncDispose]: async () => {
      listener.disconnect()
    },
  }
}
