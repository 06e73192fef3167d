import type { TopicName } from '@sekali/core/event'
import { createLog } from '@sekali/process/log'
import { createKeeper } from '../src/upkeep/keep.ts'
import { retireStreams } from '../src/upkeep/retire.ts'
import { numbered, type OwnStack, ownStack, storeAll, streamOf } from './stack.ts'

export const orders = 'orders' as TopicName
export const silent = createLog('test', 'silent')
export const keepMs = 60_000

/** So large that Redis can drop each pack by itself. */
export const large = { payload: `{"text":"${'x'.repeat(5_000)}"}` }

/** A stack whose turns, in this process, keep what they store. */
export async function ownKept(redisUrl?: string) {
  const stack = await ownStack(redisUrl)
  const { broker, store } = stack
  const keeper = createKeeper({ broker, store, log: silent }, keepMs)
  return {
    ...stack,
    keeper,
    storeMore: async (count: number, from: number, differs: object = large) => {
      await stack.append(numbered(count, from, differs))
      return await storeAll(stack, { keeper })
    },
    storeAll: (packsMax?: number) => storeAll(stack, { keeper, ...(packsMax && { packsMax }) }),
    /** As if PostgreSQL had answered for so long. */
    pass: (ms: number) => broker.redis.hincrby(`${broker.prefix}:keep`, 'clock', ms),
    retire: () =>
      retireStreams(
        { broker, store, keeper, quietMs: 0, log: silent, at: () => {} },
        [orders],
        new AbortController().signal,
      ),
  }
}

/** What the stream still has. */
export const entriesOf = async ({ broker }: OwnStack) =>
  (await broker.redis.xrange(streamOf(broker), '-', '+')).flatMap(
    ([, fields]) => fields[1]?.split('\0\0') ?? [],
  )
