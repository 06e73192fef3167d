/**
 * Whether Redis takes what an append writes, found out by writing: memory figures, roles and the state of a disk would
 * only let one guess, and no user may do more than its ACL says.
 */
import { knownTrouble, type Trouble } from '@sekali/core/trouble'
import { ask, type Broker } from '../redis/connect.ts'
import { writableKey } from '../redis/keys.ts'
import { defineScript } from '../redis/script.ts'

// KEYS  1 where it is noted, 2 a stream that there never is   ARGV  1 the time to note
// Returns 'OK', or the command that was refused and what Redis said.
// NOMKSTREAM makes an XADD to no stream a write of nothing, which is refused like any other. Without flags, as the script
// that appends: so a full Redis refuses this one too. The note is a write that reaches the disk.
const writeScript = defineScript(`
local function refused(...)
  local reply = redis.pcall(...)
  local err = type(reply) == 'table' and reply.err
  if not err or string.find(err, 'no such key') or string.find(err, 'requires the key to exist') then return nil end
  return {(...), err}
end
return refused('XADD', KEYS[2], 'NOMKSTREAM', '*', 'e', '')
  or refused('XGROUP', 'CREATE', KEYS[2], 'probe', '0')
  or refused('XSETID', KEYS[2], '1-1')
  or refused('XINFO', 'STREAM', KEYS[2])
  or refused('HSET', KEYS[1], 'at', ARGV[1])
  or 'OK'
`)

/** Why Redis refuses what an append does; undefined when it takes it. Rejects with `BrokerUnavailable`. */
export async function findRefusal(broker: Broker): Promise<Trouble | undefined> {
  const keys = [writableKey(broker), `${writableKey(broker)}:none`]
  const written = await tryCall(broker, ...writeScript.whole(keys, [String(Date.now())]))
  if (written !== undefined || broker.replicasMin === 0) return written
  return await tryCall(broker, 'WAIT', '0', '1') // for no replica: it is answered at once
}

async function tryCall(
  broker: Broker,
  ...[command, ...args]: readonly [string, ...string[]]
): Promise<Trouble | undefined> {
  const reply = await ask(broker, 'trial of a write', (redis) => redis.call(command, ...args)).catch(
    (error: Error) => {
      if (isReplyError(error.cause)) return [command, error.cause.message]
      throw error
    },
  )
  if (!Array.isArray(reply)) return undefined
  const [refused, text] = reply.map(String)
  return refusal(String(refused), String(text))
}

const isReplyError = (error: unknown): error is Error => error instanceof Error && error.name === 'ReplyError'

function refusal(command: string, text: string): Trouble {
  // In a script it is no NOPERM, and each version has words of its own.
  const isForbidden = /^NOPERM |ACL failure|user executing the script/.test(text)
  const error = Object.assign(new Error(isForbidden ? `NOPERM ${text}` : text), { name: 'ReplyError' })
  const trouble = knownTrouble('Redis', error)
  if (trouble === undefined) return { code: 'ERR', what: `Redis refuses ${command}`, remedy: 'see its log' }
  return isForbidden ? { ...trouble, code: `NOPERM ${command}` } : trouble
}
