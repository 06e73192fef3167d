/**
 * The network between two parts misbehaves, on each edge: slow, silent, cut, or gone on one side only.
 *
 * Threatens: "it comes back by itself" (a client that waits for ever on a connection that nobody answers), exactly
 * once (a request that was carried out after its sender gave up), the lease (a session whose consumer is gone still
 * holds the topic's row until PostgreSQL ends it). Recovered as everywhere.
 */
import { defineFault, type Fault } from '../fault.ts'
import { type Edge, edges } from '../targets/target.ts'

const latency = (edge: Edge): Fault =>
  defineFault({
    name: `slow-${edge}`,
    about: `${edge}: every piece of data takes 20 to 300 ms longer, each way, for up to 5 s`,
    needs: ['proxies'],
    async run({ target, random, pause }) {
      target.proxies[edge].delay(random.int(20, 300))
      await pause(random.int(1_000, 5_000))
      target.proxies[edge].heal()
    },
  })

const stall = (edge: Edge): Fault =>
  defineFault({
    name: `stall-${edge}`,
    about: `${edge}: nothing moves for up to 10 s, and nobody is told`,
    needs: ['proxies'],
    async run({ target, random, pause }) {
      target.proxies[edge].stall()
      await pause(random.int(500, 10_000))
      target.proxies[edge].heal()
    },
  })

const reset = (edge: Edge): Fault =>
  defineFault({
    name: `reset-${edge}`,
    about: `${edge}: all connections are cut with a reset, several times`,
    needs: ['proxies'],
    async run({ target, random, pause }) {
      for (let times = random.int(1, 5); times > 0; times--) {
        target.proxies[edge].reset()
        await pause(random.int(0, 400))
      }
    },
  })

const halfOpen = (edge: Edge): Fault =>
  defineFault({
    name: `half-open-${edge}`,
    about: `${edge}: one side of every connection is gone and the other does not know, for up to 10 s`,
    needs: ['proxies'],
    async run({ target, random, pause }) {
      target.proxies[edge].halfOpen(random.pick(['client', 'server']))
      await pause(random.int(1_000, 10_000))
      target.proxies[edge].heal()
    },
  })

export const network: readonly Fault[] = edges.flatMap((edge) => [
  latency(edge),
  stall(edge),
  reset(edge),
  halfOpen(edge),
])
