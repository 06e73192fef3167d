/**
 * Who scans all streams: one consumer at a time, and none for a while after that. The claim is a key with a time to live,
 * whose name is older than the word.
 */
import { ask, type Broker } from '../redis/connect.ts'
import { scanKey } from '../redis/keys.ts'
import { defineScript, runScript } from '../redis/script.ts'

// A full Redis must be scanned, too: to drain is what makes room in it.
// KEYS  1 who scans all streams
// ARGV  1 consumer, 2 for how many milliseconds, 3 whether nobody else may have it: NX, or nothing
// Returns 1 when it is this consumer.
const claimScript = defineScript(`#!lua flags=allow-oom
return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], unpack(ARGV, 3)) and 1 or 0
`)

/** Whether this consumer is to scan all streams now; then nobody else does for `ms`. Rejects with `BrokerUnavailable`. */
export const claimScan = async (broker: Broker, consumer: string, ms: number): Promise<boolean> =>
  (await claim(broker, consumer, ms, 'NX')) === 1

/** Has nobody scan all streams for `ms` from now on. Rejects with `BrokerUnavailable`. */
export const postponeScan = (broker: Broker, consumer: string, ms: number): Promise<unknown> =>
  claim(broker, consumer, ms)

const claim = (broker: Broker, consumer: string, ms: number, ...how: string[]): Promise<unknown> =>
  ask(broker, 'claim of the scan', (redis) =>
    runScript(redis, claimScript, [scanKey(broker)], [consumer, String(Math.ceil(ms)), ...how]),
  )
