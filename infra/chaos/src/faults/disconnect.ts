/**
 * A part is taken off the network between the containers and put back.
 *
 * Threatens: "it comes back by itself" (names that are looked up anew, connections that nobody closes), the lease (a
 * consumer without PostgreSQL cannot know that its turn has ended). Recovered as everywhere.
 */
import { defineFault, type Fault, insist } from '../fault.ts'
import type { PartKind } from '../targets/target.ts'

const disconnect = (kind: PartKind): Fault =>
  defineFault({
    name: `disconnect-${kind}`,
    about: `${kind}: docker network disconnect for up to 10 s, then connect`,
    needs: ['processes', 'networks'],
    async run({ target: { processes, networks }, random, pause }) {
      const parts = (await processes.parts()).filter((part) => part.kind === kind)
      if (parts.length === 0) throw new Error(`there is no ${kind}`)
      const part = random.pick(parts)
      await networks.disconnect(part)
      await pause(random.int(500, 10_000))
      await insist(() => networks.connect(part))
    },
  })

export const disconnects: readonly Fault[] = (['gateway', 'consumer', 'redis', 'postgres'] as const).map(
  disconnect,
)
