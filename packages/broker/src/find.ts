import type { EventId, TopicName } from '@sekali/core/event'
import type { Position } from '@sekali/core/position'
import { ask, type Broker } from './connect.ts'
import { entrySeparator, fieldName, separator } from './entry.ts'
import { streamKey } from './keys.ts'
import { defineScript } from './script.ts'

// KEYS  1 the topic's stream
// ARGV  1 where to begin, 2 packs at most, 3 what the entry that is looked for begins with,
//       4 what stands between entries
// Returns 1 when it is found, 0 when there is none, and otherwise the id up to which there is none.
const findScript = defineScript(`
local packs = redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', ARGV[2])
for _, pack in ipairs(packs) do
  local value = pack[2][1] == '${fieldName}' and pack[2][2] or ''
  if string.sub(value, 1, #ARGV[3]) == ARGV[3] or string.find(value, ARGV[4] .. ARGV[3], 1, true) then return 1 end
end
if #packs < tonumber(ARGV[2]) then return 0 end
return packs[#packs][1]
`)

// Redis serves nobody else while a script runs, and a pack can have a quarter of a megabyte.
const packsPerCall = 50
const callsMax = 20

/**
 * Whether an entry with the event id stands after `position`; undefined when there are too many to look at.
 * Rejects with `BrokerUnavailable`.
 */
export async function isInFlight(
  broker: Broker,
  topic: TopicName,
  position: Position,
  eventId: EventId,
): Promise<boolean | undefined> {
  let after: string = position
  for (let call = 0; call < callsMax; call++) {
    const args = [`(${after}`, String(packsPerCall), `${eventId}${separator}`, entrySeparator]
    const found = await ask(broker, `look into ${topic}`, (redis) =>
      redis.call(...findScript.whole([streamKey(broker, topic)], args)),
    )
    if (typeof found === 'number') return found === 1
    after = String(found)
  }
  return undefined
}
