/** Reads of what sockets take by the megabyte: history for tails, and replays. Each client has a queue of them. */
import type { Client } from './clients.ts'
import { createQueues } from './queues.ts'
import { createSlots } from './slots.ts'

export interface BulkReads {
  /**
   * Resolves with what `read` does, or rejects as it does. `makeRoom` runs before it, in the client's queue: so no read
   * holds room while it waits in the queue, and none that waits for room holds a connection of PostgreSQL.
   */
  run<T>(client: Client, makeRoom: () => Promise<void>, read: () => Promise<T>): Promise<T>
}

/** Reads of a client that do not wait for each other. */
const atOnceMax = 4

/** At most `readsMax` at a time, of all clients. */
export function createBulkReads(readsMax: number): BulkReads {
  const slots = createSlots(readsMax)
  const queues = createQueues(() => atOnceMax, { trialMs: 0 })
  return {
    run: (client, makeRoom, read) =>
      queues.run(client, async () => {
        await makeRoom()
        using _slot = await slots.take(1, client)
        return await read()
      }),
  }
}
