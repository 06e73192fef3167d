/**
 * Sends a replay part by part. The client sets the pace: a part that is not taken in time is dropped, and its rest is
 * read again when the client takes more. A quick client gets larger parts, and the next part is read while the one
 * before is on its way.
 */
import type { Replay } from '@sekali/store/replay'
import type { HeldPart } from './replay-parts.ts'
import type { ReplayWriter } from './replay-writer.ts'

/** Reads the first part of what is left of a replay. */
export type ReadPart = (rest: Replay, bytesMax: number) => Promise<HeldPart>

export const partBytesMin = 64 * 1024
const partBytesMax = 1024 * 1024

/**
 * Sends all of a replay, or as much as the client takes before it leaves. `parts` is what has been read already. Each is
 * taken out, because it must not stay while its client takes nothing. Rejects as `read` does.
 */
export async function sendAll(writer: ReplayWriter, parts: HeldPart[], read: ReadPart): Promise<void> {
  for (let bytesMax = partBytesMin; ; ) {
    const { rest, ahead } = await sendPart(writer, parts, bytesMax, read)
    if (rest === undefined || writer.isOver()) return
    bytesMax = writer.isFull() ? partBytesMin : Math.min(2 * bytesMax, partBytesMax)
    if (ahead) {
      parts.push(await ahead)
      continue
    }
    await writer.drained()
    if (writer.isOver()) return
    parts.push(await read(rest, bytesMax))
  }
}

/** Resolves with what is left, and for a client that is quick with the next part, which is being read. */
async function sendPart(writer: ReplayWriter, parts: HeldPart[], bytesMax: number, read: ReadPart) {
  using part = parts.shift() as HeldPart
  const more = part.rest(part.events.length)
  const ahead = more && bytesMax > partBytesMin ? read(more, bytesMax) : undefined
  ahead?.catch(() => undefined) // it may fail before anybody waits for it
  const taken = await writer.write(part.events)
  const rest = part.rest(taken)
  if (rest && !writer.isOver() && !writer.isFull()) return { rest, ahead }
  ahead?.then((unwanted) => unwanted[Symbol.dispose]()).catch(() => undefined)
  return { rest }
}
