import { BrokerUnavailable } from '@sekali/core/errors'
import { ask, askAll, type Broker } from './connect.ts'
import { field, ownGroup } from './info.ts'
import { consumersKey, streamKey } from './keys.ts'
import { readAnnounced } from './presence.ts'
import { defineScript } from './script.ts'

// KEYS  1 the topic's stream
// ARGV  1 group, 2 consumer
// Returns 1 when the consumer was removed. XGROUP DELCONSUMER drops what is pending with the consumer, so the
// look and the removal must be one step.
const removeScript = defineScript(`
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) > 0 then return 0 end
redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
return 1
`)

/** A name is removed once its consumer has neither said anything nor read for so long. */
const goneMs = 60_000

/**
 * Removes consumers that are gone from the groups of `topics`, so that names do not pile up with every restart.
 * One with entries pending is left until a reclaim has taken them. Returns how many names were removed.
 */
export async function removeGoneConsumers(
  broker: Broker,
  topics: Iterable<string>,
  goneAfterMs = goneMs,
): Promise<number> {
  const announced = await readAnnounced(broker)
  const expired = [...announced.keys()].filter((name) => announced.get(name) === null)
  if (expired.length > 0)
    await ask(broker, 'janitor', (redis) => redis.srem(consumersKey(broker), ...expired))
  let removed = 0
  for (const topic of topics) {
    const key = streamKey(broker, topic)
    const [groups] = await askAll(broker, 'janitor', (redis) => [redis.xinfo('GROUPS', key)])
    const group = ownGroup(broker, groups)?.name
    if (group === undefined) continue
    const consumers = (await ask(broker, 'janitor', (redis) =>
      redis.xinfo('CONSUMERS', key, group),
    )) as unknown[]
    const gone = consumers
      .filter((consumer) => Number(field(consumer, 'idle')) >= goneAfterMs)
      .map((consumer) => String(field(consumer, 'name')))
      .filter((name) => !announced.get(name))
    if (gone.length === 0) continue
    const outcomes = await askAll(broker, 'janitor', (redis) =>
      gone.map((name) => redis.call(...removeScript.whole([key], [group, name]))),
    )
    const error = outcomes.find((outcome) => outcome instanceof Error)
    if (error) throw new BrokerUnavailable(`janitor on ${topic} failed`, { cause: error })
    removed += outcomes.filter((outcome) => outcome === 1).length
  }
  return removed
}
