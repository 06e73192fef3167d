import { BrokerUnavailable } from '@sekali/core/errors'
import type { TopicName } from '@sekali/core/event'
import { askAll, type Broker } from './connect.ts'
import { groupPrefix, streamKey } from './keys.ts'

/** The value that follows `name` in one of Redis's flat replies: name, value, name, value … */
export function field(reply: unknown, name: string): unknown {
  if (!Array.isArray(reply)) return undefined
  const at = reply.indexOf(name)
  return at === -1 ? undefined : reply[at + 1]
}

/**
 * For scripts: `field(reply, name)`, as above, and `ownGroup(key, prefix)`, what XINFO GROUPS says of our group in
 * the stream at the key; nil when it has none.
 */
export const luaInfo = `
local function field(reply, name)
  for i = 1, #reply, 2 do if reply[i] == name then return reply[i + 1] end end
end
local function ownGroup(key, prefix)
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', key)) do
    if string.sub(field(group, 'name'), 1, #prefix) == prefix then return group end
  end
end
`

/** For scripts: `isAfter(a, b)`, whether one position comes after another. */
export const luaIsAfter = `
local function isAfter(a, b)
  local ams, an = string.match(a, '(%d+)-(%d+)')
  local bms, bn = string.match(b, '(%d+)-(%d+)')
  if ams ~= bms then return tonumber(ams) > tonumber(bms) end
  return tonumber(an) > tonumber(bn)
end
`

/** NOGROUP: the group, or the whole stream, is not there. `no such key`: the stream is not there. */
export const isMissing = (outcome: unknown): boolean =>
  outcome instanceof Error &&
  (outcome.message.startsWith('NOGROUP') || outcome.message.includes('no such key'))

/** The name of our group in a topic's stream; `undefined` when the stream has none. */
export async function findGroup(broker: Broker, topic: TopicName): Promise<string | undefined | 'no stream'> {
  const [groups] = await askAll(broker, `look at ${topic}`, (redis) => [
    redis.xinfo('GROUPS', streamKey(broker, topic)),
  ])
  if (isMissing(groups)) return 'no stream'
  if (groups instanceof Error) throw new BrokerUnavailable(`look at ${topic} failed`, { cause: groups })
  return ownGroup(broker, groups)?.name
}

/** Our group in an `XINFO GROUPS` reply; operators may have put others on the stream. */
export function ownGroup(broker: Broker, groups: unknown): { name: string; pending: number } | undefined {
  if (!Array.isArray(groups)) return undefined
  return groups
    .map((group) => ({ name: String(field(group, 'name')), pending: Number(field(group, 'pending')) }))
    .find(({ name }) => name.startsWith(groupPrefix(broker)))
}
