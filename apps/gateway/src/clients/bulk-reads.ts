/** Reads of what sockets take by the megabyte: history for tails, and replays. A few of a client go as fast as they can. */
import type { Client } from './clients.ts'
import { createLanes } from './queues.ts'
import { createSlots } from './slots.ts'

export interface BulkReads {
  /**
   * Resolves with what `read` does, or rejects as it does. `makeRoom` comes before it, in the client's line: so nobody
   * holds room while it waits for others of its own, and nobody who waits for room holds a connection of PostgreSQL.
   */
  run<T>(client: Client, makeRoom: () => Promise<void>, read: () => Promise<T>): Promise<T>
}

/** Reads of a client that do not wait for each other. */
const atOnceMax = 4

/** At most `readsMax` at a time, of all clients. */
export function createBulkReads(readsMax: number): BulkReads {
  const slots = createSlots(readsMax)
  const lanes = createLanes(() => atOnceMax)
  return {
    run: (client, makeRoom, read) =>
      lanes.run(client, async () => {
        await makeRoom()
        using _slot = await slots.take(1, client)
        return await read()
      }),
  }
}
