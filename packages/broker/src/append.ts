/**
 * Appends events to their topics' streams.
 *
 * Concurrent appends are coalesced: all that arrive in one pass of the event loop go to Redis in one pipeline, one
 * script call a topic, and so share one fsync (`appendfsync always` syncs once per pass of Redis's loop, before it
 * answers: https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/).
 *
 * A stream is born together with its consumer group, and the group's name is random: the name is the stream's
 * *incarnation*. A stream that was deleted, flushed or lost and made anew therefore never has the group that the
 * store remembers, and cannot be mistaken for the old one, whatever its ids and counts look like.
 */
import { randomUUID } from 'node:crypto'
import { BrokerUnavailable } from '@sekali/core/errors'
import type { Event, TopicName } from '@sekali/core/event'
import { askAll, type Broker } from './connect.ts'
import { encode, fieldNames } from './entry.ts'
import { groupPrefix, streamKey, topicsKey } from './keys.ts'
import { defineScript, isNoScript, type Script } from './script.ts'

// KEYS  1 the topic's stream
// ARGV  1 name of the group of a new stream, then for each event: id, timestamp, source, payload
// Returns 1 when the stream was made, 0 when it was there.
// Runs whole or, where Redis refuses it (OOM, READONLY, MISCONF), not at all.
const appendScript = defineScript(`
local made = 0
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
  made = 1
end
for i = 2, #ARGV, 4 do
  redis.call('XADD', KEYS[1], '*', '${fieldNames[0]}', ARGV[i], '${fieldNames[1]}', ARGV[i + 1],
    '${fieldNames[2]}', ARGV[i + 2], '${fieldNames[3]}', ARGV[i + 3])
end
return made
`)

/** Events in one script call at most: Redis serves nobody else while a script runs. */
const eventsPerCallMax = 500

interface Waiting {
  readonly event: Event
  readonly done: () => void
  readonly failed: (error: BrokerUnavailable) => void
}

export interface Appender {
  /**
   * Resolves once Redis has the event, durably if Redis is set up so (see health.ts).
   * Rejects with {@link BrokerUnavailable}: then the event may or may not be in the stream, and publishing it
   * again is safe. Two appends of one topic keep the order in which they were called.
   */
  append(event: Event): Promise<void>
}

/** `onAppended` hears the topic of every append that succeeded; it rings the doorbell. */
export function createAppender(broker: Broker, onAppended: (topic: TopicName) => void): Appender {
  const lanes = new Map<TopicName, Waiting[]>()
  const registered = new Set<TopicName>()
  // A Redis that came back may have lost the registry.
  broker.redis.on('close', () => registered.clear())

  function flush(): void {
    const calls: Call[] = []
    for (const [topic, waiting] of lanes) {
      for (let at = 0; at < waiting.length; at += eventsPerCallMax) {
        calls.push({ topic, waiting: waiting.slice(at, at + eventsPerCallMax) })
      }
    }
    lanes.clear()
    void send(broker, registered, calls, onAppended)
  }

  return {
    append: (event) =>
      new Promise((done, failed) => {
        if (lanes.size === 0) setImmediate(flush)
        const lane = lanes.get(event.topic)
        if (lane) lane.push({ event, done, failed })
        else lanes.set(event.topic, [{ event, done, failed }])
      }),
  }
}

interface Call {
  readonly topic: TopicName
  readonly waiting: readonly Waiting[]
}

async function send(
  broker: Broker,
  registered: Set<TopicName>,
  calls: readonly Call[],
  onAppended: (topic: TopicName) => void,
): Promise<void> {
  let outcomes = await attempt(broker, registered, calls, appendScript.bySha)
  // Redis forgets scripts when it restarts. What it answers NOSCRIPT to has not been run: send those whole.
  const unknown = calls.filter((_, index) => isNoScript(outcomes[index]))
  if (unknown.length > 0) {
    const again = await attempt(broker, registered, unknown, appendScript.whole)
    outcomes = outcomes.map((outcome) => (isNoScript(outcome) ? again.shift() : outcome))
  }
  for (const [index, { topic, waiting }] of calls.entries()) {
    const outcome = outcomes[index]
    if (outcome instanceof Error) {
      const error = new BrokerUnavailable(`append to ${topic} failed`, { cause: outcome })
      for (const { failed } of waiting) failed(error)
      continue
    }
    // Made anew although we knew it: the registry may have gone with the stream. Say it again next time.
    if (outcome === 1) registered.delete(topic)
    for (const { done } of waiting) done()
    onAppended(topic)
  }
}

// Never rejects: a lost connection is every call's outcome.
async function attempt(
  broker: Broker,
  registered: Set<TopicName>,
  calls: readonly Call[],
  command: Script['bySha'],
): Promise<unknown[]> {
  // Registered before the first append, so that consumers find every topic that has an entry.
  const fresh = [...new Set(calls.map(({ topic }) => topic).filter((topic) => !registered.has(topic)))]
  try {
    const replies = await askAll(broker, 'append', (pipeline) => {
      if (fresh.length > 0) pipeline.sadd(topicsKey(broker), ...fresh)
      for (const { topic, waiting } of calls) {
        const args = [
          `${groupPrefix(broker)}${randomUUID()}`,
          ...waiting.flatMap(({ event }) => encode(event)),
        ]
        pipeline.call(...command([streamKey(broker, topic)], args))
      }
    })
    if (fresh.length === 0) return replies
    const [registration, ...outcomes] = replies
    if (registration instanceof Error) return calls.map(() => registration)
    for (const topic of fresh) registered.add(topic)
    return outcomes
  } catch (error) {
    return calls.map(() => error)
  }
}
