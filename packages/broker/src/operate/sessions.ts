/**
 * What gateways share about sessions of browsers: a secret that signs them, and which were ended before their time. Both
 * are in Redis alone, so who has a copy of PostgreSQL cannot sign one.
 */
import { chunksOf } from '@sekali/core/chunks'
import { ask, type Broker } from '../redis/connect.ts'
import { endedSessionsKey, sessionsKey } from '../redis/keys.ts'
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

/** Which of these sessions were ended. Rejects with `BrokerUnavailable`. */
export async function findEndedSessions(broker: Broker, names: readonly string[]): Promise<Set<string>> {
  const flags = await ask(broker, 'look at sessions', (redis) =>
    redis.smismember(endedSessionsKey(broker), ...names),
  )
  return new Set(names.filter((_, index) => flags[index] === 1))
}

const namesInCall = 1_000

/**
 * Ends a session, whose name begins with the second of its own end since 1970 and a dot. What needs no memory any more is
 * forgotten: `now` is that second of today. Rejects with `BrokerUnavailable`.
 */
export async function endSession(broker: Broker, name: string, now: number): Promise<void> {
  const key = endedSessionsKey(broker)
  await ask(broker, 'end of a session', async (redis) => {
    await redis.sadd(key, name)
    const over = (await redis.smembers(key)).filter((one) => Number.parseInt(one, 10) < now)
    for (const names of chunksOf(over, namesInCall)) await redis.srem(key, ...names)
  })
}
