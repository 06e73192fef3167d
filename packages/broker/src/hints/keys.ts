/**
 * A gateway that has rotated or revoked a key says so to the others. A hint like the doorbell: it may be lost, so whoever
 * lets keys in also looks into the store every few seconds.
 */
import { isKeyId } from '@sekali/core/key'
import { ask, type Broker } from '../redis/connect.ts'
import { keysChannel } from '../redis/keys.ts'
import { subscribe } from './subscribe.ts'

/** Rejects with `BrokerUnavailable`. */
export const announceKey = (broker: Broker, id: string): Promise<unknown> =>
  ask(broker, 'announcement of a key', (redis) => redis.publish(keysChannel(broker), id))

/** Calls `onKey` with the id of each key that has changed, on a connection of its own that heals by itself. */
export const listenToKeys = (broker: Broker, onKey: (id: string) => void): AsyncDisposable =>
  subscribe(broker, keysChannel(broker), (message) => {
    if (isKeyId(message)) onKey(message) // anybody may publish there
  })
