/** Reads replays part by part. PostgreSQL is held only while it reads, and memory until a part is disposed of. */
import { limits } from '@sekali/core/limits'
import type { Store } from '@sekali/store/connect'
import { boundReplay, type Part, type Replay, readPart } from '@sekali/store/replay'
import { createBulkReads } from '../clients/bulk-reads.ts'
import type { Client } from '../clients/clients.ts'
import { createSlots } from '../clients/slots.ts'
import type { ReadLog } from '../standby/read-log.ts'

/** A part that is in memory, until it is disposed of. */
export type HeldPart = Part & Disposable

export interface ReplayParts {
  /** The same replay, with its end where the log is now. */
  bound(replay: Replay, client: Client): Promise<Replay>
  /** The first part of a replay, of about `bytesMax` bytes. */
  read(replay: Replay, bytesMax: number, client: Client): Promise<HeldPart>
}

/** Connections of the pool that serve replays. */
const readsMax = 2
/** Bytes of all parts that are held until sockets take them. */
const heldBytesMax = 32 * 1024 * 1024

/** The end of a replay is where the primary is, whatever a standby lacks of it yet. */
export function createReplayParts(store: Store, readLog: ReadLog): ReplayParts {
  const reads = createBulkReads(readsMax)
  const heldBytes = createSlots(heldBytesMax)
  return {
    bound: (replay, client) =>
      reads.run(
        client,
        async () => undefined,
        () => boundReplay(store, replay),
      ),
    async read(replay, bytesMax, client) {
      using room = new DisposableStack()
      const makeRoom = async () =>
        void room.use(await heldBytes.take(bytesMax + limits.payloadBytesMax, client))
      const part = await reads.run(client, makeRoom, () =>
        readLog(({ store: from, mustReach }) => readPart(from, { ...replay, mustReach }, bytesMax)),
      )
      const held = room.move()
      return { ...part, [Symbol.dispose]: () => held.dispose() }
    },
  }
}
