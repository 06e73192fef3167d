/**
 * Traces travel beside the entries: each topic has a second stream, in which a pack's `traceparent` has the pack's own id.
 * An entry stays as it is, because a consumer of the version before takes one with another field for malformed, and makes a
 * dead letter of it. Only what is sampled is there, one a pack, and no more than a turn can link.
 */
import type { Chunk, Pack } from '../redis/entry.ts'

/** How many stay in a stream, about. A span has 128 links; a consumer takes away what it has read. */
export const tracesMax = 256

/**
 * For the append script: KEYS[4] is the stream of traces, and behind the packs ARGV has offset and traceparent of each
 * pack that has one, then how many of both there are.
 */
export const luaTakeTraces = `
local traces = {}
for i = 1, table.remove(ARGV) do traces[i] = table.remove(ARGV) end
`

/** Whatever becomes of a trace, its event is there. */
export const luaAddTraces = `
local traceMs, traceNumber = string.match(first, '(%d+)-(%d+)')
if #traceNumber <= 15 then
  for i = #traces, 1, -2 do
    local id = traceMs .. '-' .. string.format('%.0f', traceNumber + traces[i])
    redis.pcall('XADD', KEYS[4], 'MAXLEN', '~', '${tracesMax}', id, 't', traces[i - 1])
  end
end
`

/** The arguments of the traces: of a pack, that of the first of its chunks that has one. */
export function traceArguments(chunks: readonly Chunk[], packs: readonly Pack[]): string[] {
  let end = 0
  const traced = chunks.flatMap(({ events, traceparent }) => {
    const start = end
    end += events.length
    return traceparent === undefined ? [] : [{ start, end, traceparent }]
  })
  let packStart = 0
  const args = packs.flatMap(({ entries }) => {
    const start = packStart
    packStart += entries
    const first = traced.find((chunk) => chunk.start < packStart && start < chunk.end)
    return first === undefined ? [] : [String(start), first.traceparent]
  })
  return [...args, String(args.length)]
}
