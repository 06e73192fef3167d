import type { Broker } from '../redis/connect.ts'
import { stayConnected } from '../redis/stay-connected.ts'

export interface Subscription extends AsyncDisposable {
  /** Listens to these channels from now on, and no more to others that were named here before. */
  change(channels: readonly string[]): void
}

/**
 * Calls `onMessage` with whatever is said on a channel, and on others if told so, on a connection of its own that heals by
 * itself.
 */
export function subscribe(
  broker: Broker,
  channel: string,
  onMessage: (message: string) => void,
): Subscription {
  let wanted: ReadonlySet<string> = new Set([channel])
  // We subscribe ourselves whenever a connection is ready: when ioredis does and fails, the rejection is nobody's, and
  // ends the process.
  const listener = broker.redis.duplicate({ enableOfflineQueue: false, autoResubscribe: false })
  const letEnd = stayConnected(listener)
  const again = () => listener.disconnect(true)
  listener.on('error', () => undefined) // the command connection reports that redis is unreachable
  listener.on('message', (_channel, message) => onMessage(message))
  listener.on('ready', () => {
    listener.subscribe(...wanted).catch(again)
  })
  return {
    change(channels) {
      const before = wanted
      wanted = new Set([channel, ...channels])
      if (listener.status !== 'ready') return
      const added = [...wanted].filter((one) => !before.has(one))
      const gone = [...before].filter((one) => !wanted.has(one))
      if (added.length > 0) listener.subscribe(...added).catch(again)
      if (gone.length > 0) listener.unsubscribe(...gone).catch(again)
    },
    [Symbol.asyncDispose]: async () => {
      letEnd()
      listener.disconnect()
    },
  }
}
