import { setTimeout as pause } from 'node:timers/promises'
import type { EventId, TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { ask, type Broker } from '../redis/connect.ts'
import { entrySeparator, fieldName, separator } from '../redis/entry.ts'
import { streamKey } from '../redis/keys.ts'
import { defineScript } from '../redis/script.ts'

// KEYS  1 the topic's stream
// ARGV  1 behind which id to begin, 2 and 3 packs and bytes to look at, 4 what the entry that is looked for begins
//       with, 5 what stands between entries
// Returns 1 when it is found, 0 when there is none, and otherwise the id up to which there is none, and how many packs
// that are.
// How large a pack is shows when it has been read, so the first is read alone, and then as many as should fit.
const findScript = defineScript(`
local after, packsMax, bytesMax = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local seen, bytes, count = 0, 0, 1
while true do
  local packs = redis.call('XRANGE', KEYS[1], '(' .. after, '+', 'COUNT', count)
  for _, pack in ipairs(packs) do
    for _, text in ipairs(pack[2]) do bytes = bytes + #text end
    local value = pack[2][1] == '${fieldName}' and pack[2][2] or ''
    if string.sub(value, 1, #ARGV[4]) == ARGV[4] or string.find(value, ARGV[5] .. ARGV[4], 1, true) then return 1 end
  end
  if #packs < count then return 0 end
  after, seen = packs[#packs][1], seen + #packs
  if seen >= packsMax or bytes >= bytesMax then return {after, seen} end
  count = math.max(1, math.min(16, packsMax - seen, math.floor((bytesMax - bytes) * seen / (bytes + 1))))
end
`)

// Redis serves nobody else while a script runs: this is a fraction of a millisecond.
const packsPerCall = 50
const bytesPerCall = 256 * 1024
const packsMax = 1_000
/** The pause between two calls is this many times as long as the first took: Redis has others to serve. */
const restPerCall = 9

/**
 * Whether an entry with the event id stands after `position`; undefined when there are too many to look at, or once
 * `signal` is aborted. Rejects with `BrokerUnavailable`.
 */
export async function isInFlight(
  broker: Broker,
  topic: TopicName,
  position: Position,
  eventId: EventId,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  let after: string = position
  for (let seen = 0; seen < packsMax && !signal.aborted; ) {
    const args = [after, String(packsPerCall), String(bytesPerCall), `${eventId}${separator}`, entrySeparator]
    const since = performance.now()
    const found = await ask(broker, `look into ${topic}`, (redis) =>
      redis.call(...findScript.whole([streamKey(broker, topic)], args)),
    )
    if (!Array.isArray(found)) return found === 1
    after = String(found[0])
    seen += Number(found[1])
    await pause(restPerCall * (performance.now() - since), undefined, { signal }).catch(() => undefined)
  }
  return undefined
}
