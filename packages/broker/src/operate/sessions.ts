/**
 * What gateways share about sessions of browsers: a secret that signs them, and which were ended before their time. Both
 * are in Redis alone, so who has a copy of PostgreSQL cannot sign one.
 */
import { chunksOf } from '@sekali/core/chunks'
import { ask, type Broker } from '../redis/connect.ts'
import { endedSessionsKey, endedSpansKey, sessionsKey } from '../redis/keys.ts'
import { defineScript, runScript } from '../redis/script.ts'

// KEYS  1 the hash of the secret   ARGV  1 a secret to take if there is none
// Returns the secret. All gateways get the same, whichever came first.
const secretScript = defineScript(`
local secret = redis.call('HGET', KEYS[1], 'secret')
if not secret then
  secret = ARGV[1]
  redis.call('HSET', KEYS[1], 'secret', secret)
end
return secret
`)

/** The secret; `made` becomes it if there is none. Rejects with `BrokerUnavailable`. */
export async function ensureSessionSecret(broker: Broker, made: string): Promise<string> {
  const secret = await ask(broker, 'secret of sessions', (redis) =>
    runScript(redis, secretScript, [sessionsKey(broker)], [made]),
  )
  return String(secret)
}

/** The secret, if there is one. Rejects with `BrokerUnavailable`. */
export const readSessionSecret = (broker: Broker): Promise<string | null> =>
  ask(broker, 'secret of sessions', (redis) => redis.hget(sessionsKey(broker), 'secret'))

/**
 * Sessions that were ended lie in sets, one for all that would have ended by themselves in the same ten minutes: so those
 * that nobody need remember any more go together, and nothing looks at the others to find them. A sorted set would do it,
 * too, but the gateway's user of Redis has no command for it.
 */
const spanSeconds = 600
const namesInCall = 1_000

/** The number of ten minutes since 1970. A session's name begins with the second of its own end, and a dot. */
const spanOf = (name: string): number => Math.floor(Number.parseInt(name, 10) / spanSeconds)

/** Which of these sessions were ended. Rejects with `BrokerUnavailable`. */
export async function findEndedSessions(broker: Broker, names: readonly string[]): Promise<Set<string>> {
  const calls = [...Map.groupBy(names, spanOf)].flatMap(([span, ofSpan]) =>
    chunksOf(ofSpan, namesInCall).map((chunk) => ({ key: endedSessionsKey(broker, span), chunk })),
  )
  const found = await ask(broker, 'look at sessions', (redis) =>
    Promise.all(
      calls.map(async ({ key, chunk }) => {
        const flags = await redis.smismember(key, ...chunk)
        return chunk.filter((_, index) => flags[index] === 1)
      }),
    ),
  )
  return new Set(found.flat())
}

/**
 * Ends a session. `now` is the second of today since 1970: of what needs no memory any more, the sessions of ten minutes are
 * forgotten. Rejects with `BrokerUnavailable`.
 */
export async function endSession(broker: Broker, name: string, now: number): Promise<void> {
  const spansKey = endedSpansKey(broker)
  await ask(broker, 'end of a session', async (redis) => {
    const span = spanOf(name)
    // First: a set that no span names would stay for ever.
    await redis.sadd(spansKey, span)
    await redis.sadd(endedSessionsKey(broker, span), name)
    const over = (await redis.smembers(spansKey)).map(Number).find((one) => (one + 1) * spanSeconds < now)
    if (over === undefined) return
    const key = endedSessionsKey(broker, over)
    for (const names of chunksOf(await redis.smembers(key), namesInCall)) await redis.srem(key, ...names)
    await redis.srem(spansKey, over)
  })
}
